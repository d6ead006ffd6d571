//! What a person calls an item of the shop: `item-000083` is a *linen boot*.
//!
//! A name follows from the id alone, so no topic, no table and no seed is needed to say it, and
//! everybody says the same. The id stays the key: in events, in the database and in JSON.
//!
//! Items are numbered shelf by shelf, and all of a shelf are of one kind. So a person sees at a
//! glance whether a page of recommendations follows a shopper: from boot to boot.
//!
//! # Simplifications
//! - The names of all shelves are used up after 4,000 items; from then on a name has a number, and
//!   an item that takes another's place on its shelf has the name that its own number gives it.

/// How many items in a row are of one kind: those of a shelf.
pub const ITEMS_OF_A_KIND: usize = 80;

const KINDS: [&str; 50] = [
    "shoe", "boot", "sock", "hat", "scarf", "glove", "coat", "shirt", "skirt", "dress", "belt", "bag",
    "purse", "watch", "ring", "lamp", "chair", "table", "shelf", "sofa", "rug", "vase", "clock", "mirror",
    "candle", "kettle", "mug", "plate", "bowl", "spoon", "knife", "pan", "pot", "tray", "towel", "pillow",
    "quilt", "tent", "rope", "ball", "bike", "kite", "doll", "puzzle", "drum", "flute", "pen", "book",
    "radio", "torch",
];

const QUALITIES: [&str; ITEMS_OF_A_KIND] = [
    "red", "blue", "green", "black", "white", "grey", "pink", "gold", "teal", "brown", "amber", "ivory",
    "olive", "coral", "lilac", "mauve", "navy", "ochre", "ruby", "sand", "silk", "wool", "linen", "cotton",
    "suede", "oak", "pine", "cedar", "bamboo", "cork", "steel", "brass", "copper", "tin", "glass", "stone",
    "clay", "pearl", "jade", "onyx", "round", "oval", "tall", "slim", "wide", "long", "mini", "big", "flat",
    "deep", "trail", "city", "beach", "park", "lake", "alpine", "desert", "forest", "river", "island",
    "retro", "modern", "plain", "fancy", "classy", "sporty", "cosy", "smart", "royal", "rustic", "spring",
    "summer", "autumn", "winter", "night", "dawn", "noon", "dusk", "storm", "snow",
];

/// A step through the qualities from shelf to shelf, so that not every shelf begins with *red*.
const STEP: usize = 19;
/// An id has at most so many digits.
const MOST_DIGITS: usize = 18;

/// The name of the item with this id, such as `red shoe`; none where the id is not `item-` and a
/// number, as those of a student's own events may not be. No two ids have the same name.
pub fn item_name(id: &str) -> Option<String> {
    let digits = id.strip_prefix("item-")?;
    if digits.len() > MOST_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: usize = digits.parse().ok()?;
    let shelf = number / ITEMS_OF_A_KIND;
    let kind = KINDS[shelf % KINDS.len()];
    let quality = QUALITIES[(number + STEP * shelf) % ITEMS_OF_A_KIND];
    let round = shelf / KINDS.len();
    Some(if round == 0 { format!("{quality} {kind}") } else { format!("{quality} {kind} {}", round + 1) })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_name_follows_from_the_id_and_is_its_own() {
        assert_eq!(item_name("item-000000").as_deref(), Some("red shoe"));
        assert_eq!(item_name("item-000083").as_deref(), Some("linen boot"));
        assert_eq!(item_name("item-004000").as_deref(), Some("spring shoe 2"));
        let names: HashSet<String> =
            (0..20_000).map(|number| item_name(&format!("item-{number:06}")).expect("a number")).collect();
        assert_eq!(names.len(), 20_000, "no two items have the same name");
    }

    #[test]
    fn a_name_is_short_and_all_of_a_shelf_are_of_one_kind() {
        for number in 0..4_000 {
            let name = item_name(&format!("item-{number:06}")).expect("a number");
            assert!(name.len() <= 13, "{name} is too wide for a column of the screen");
            let kind = KINDS[number / ITEMS_OF_A_KIND];
            assert!(name.ends_with(kind), "{name} is on the shelf of each {kind}");
        }
    }

    #[test]
    fn an_id_that_is_not_ours_has_no_name() {
        for id in
            ["", "item-", "item-x", "item--7", "item-+7", "kettle", "item-1234567890123456789", "b7item-1"]
        {
            assert_eq!(item_name(id), None, "{id}");
        }
    }
}
