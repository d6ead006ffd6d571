//! Kinds of road, as OpenStreetMap tells them apart.

/// The class of a road, from the value of its OpenStreetMap `highway` tag.
///
/// Slip roads (`motorway_link` and the like) belong to the class of the road they lead to: they are
/// short, and what matters about them is learnt like everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RoadClass {
    /// Nothing is known, or a value that is none of the others.
    Unknown = 0,
    /// Restricted access, grade-separated.
    Motorway = 1,
    /// The most important roads that are not motorways.
    Trunk = 2,
    /// Links larger towns; a city's main arteries.
    Primary = 3,
    /// Links towns; a city's large streets.
    Secondary = 4,
    /// Links villages; busy streets inside a quarter.
    Tertiary = 5,
    /// Public roads below tertiary that are not residential.
    Unclassified = 6,
    /// Streets lined with housing.
    Residential = 7,
    /// Streets where people on foot have priority.
    LivingStreet = 8,
    /// Access to a car park, a yard, an alley.
    Service = 9,
}

impl RoadClass {
    /// Every class, in the order of its number.
    pub const ALL: [RoadClass; 10] = [
        RoadClass::Unknown,
        RoadClass::Motorway,
        RoadClass::Trunk,
        RoadClass::Primary,
        RoadClass::Secondary,
        RoadClass::Tertiary,
        RoadClass::Unclassified,
        RoadClass::Residential,
        RoadClass::LivingStreet,
        RoadClass::Service,
    ];

    /// The class of a `highway` value; anything that is not a road for cars, or blank, is
    /// [`RoadClass::Unknown`].
    pub fn of_highway(value: &str) -> RoadClass {
        match value.strip_suffix("_link").unwrap_or(value) {
            "motorway" => RoadClass::Motorway,
            "trunk" => RoadClass::Trunk,
            "primary" => RoadClass::Primary,
            "secondary" => RoadClass::Secondary,
            "tertiary" => RoadClass::Tertiary,
            "unclassified" => RoadClass::Unclassified,
            "residential" => RoadClass::Residential,
            "living_street" => RoadClass::LivingStreet,
            "service" => RoadClass::Service,
            _ => RoadClass::Unknown,
        }
    }

    /// OpenStreetMap's word for the class; `"unknown"` where there is none.
    pub fn name(self) -> &'static str {
        match self {
            RoadClass::Unknown => "unknown",
            RoadClass::Motorway => "motorway",
            RoadClass::Trunk => "trunk",
            RoadClass::Primary => "primary",
            RoadClass::Secondary => "secondary",
            RoadClass::Tertiary => "tertiary",
            RoadClass::Unclassified => "unclassified",
            RoadClass::Residential => "residential",
            RoadClass::LivingStreet => "living_street",
            RoadClass::Service => "service",
        }
    }

    /// The class with this number, as the compact file stores it.
    pub fn of_number(number: u8) -> Option<RoadClass> {
        RoadClass::ALL.get(usize::from(number)).copied()
    }

    /// Speed in m/s that is assumed for a road of this class when its limit is unknown.
    ///
    /// | class | km/h | | class | km/h |
    /// |---|---|---|---|---|
    /// | motorway | 100 | | unclassified | 40 |
    /// | trunk | 80 | | residential | 35 |
    /// | primary | 60 | | living street | 15 |
    /// | secondary | 50 | | service | 15 |
    /// | tertiary | 45 | | unknown | 40 |
    ///
    /// These are round numbers for a town anywhere, a prior and no more: the first hour of traffic
    /// outweighs them.
    pub fn default_mps(self) -> f64 {
        let kmh = match self {
            RoadClass::Motorway => 100.0,
            RoadClass::Trunk => 80.0,
            RoadClass::Primary => 60.0,
            RoadClass::Secondary => 50.0,
            RoadClass::Tertiary => 45.0,
            RoadClass::Unclassified | RoadClass::Unknown => 40.0,
            RoadClass::Residential => 35.0,
            RoadClass::LivingStreet | RoadClass::Service => 15.0,
        };
        kmh / 3.6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back_to_their_class() {
        for class in RoadClass::ALL {
            assert_eq!(RoadClass::of_number(class as u8), Some(class));
            assert_eq!(RoadClass::of_highway(class.name()), class);
        }
        assert_eq!(RoadClass::of_number(10), None);
        assert_eq!(RoadClass::of_highway("trunk_link"), RoadClass::Trunk);
        assert_eq!(RoadClass::of_highway("footway"), RoadClass::Unknown);
        assert_eq!(RoadClass::of_highway(""), RoadClass::Unknown);
    }
}
