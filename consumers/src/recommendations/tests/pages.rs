//! Traces: which session meets which item, and the page that follows.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them when it updates a trace")]

use expect_test::expect;

use super::*;

#[test]
fn what_others_viewed_next_comes_first() {
    check(
        "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 ann view cups
         11:01:00 bob view tent
         11:01:20 bob view stove
         11:01:40 cat view kettle
         11:02:00 cat view stove",
        &expect![[r#"
            11:00:00 ann view kettle
                ann: (empty)
                (front page): kettle
            11:00:20 ann view teapot
                ann: (empty)
            11:00:40 ann view cups
                ann: (empty)
            11:01:00 bob view tent
                bob: cups teapot kettle
                (front page): tent cups teapot kettle
            11:01:20 bob view stove
                bob: cups teapot kettle
            11:01:40 cat view kettle
                cat: teapot cups stove tent
            11:02:00 cat view stove
                cat: teapot tent cups
                (front page): stove kettle tent cups teapot
        "#]],
    );
}

#[test]
fn the_front_page_changes_at_most_once_a_minute() {
    check(
        "11:00:00 ann view kettle
         11:00:10 bob view tent
         11:00:59 cat view tent
         11:01:00 dan view tent
         11:02:30 eve view tent",
        &expect![[r#"
            11:00:00 ann view kettle
                ann: (empty)
                (front page): kettle
            11:00:10 bob view tent
                bob: kettle
            11:00:59 cat view tent
                cat: kettle
            11:01:00 dan view tent
                dan: kettle
                (front page): tent kettle
            11:02:30 eve view tent
                eve: kettle
        "#]],
    );
}

#[test]
fn where_little_is_known_what_goes_with_the_companions_comes_before_what_everybody_likes() {
    check(
        "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 bob view teapot
         11:01:00 bob view cups
         11:01:10 eve view tent
         11:01:20 fay view tent
         11:01:40 cat view kettle",
        &expect![[r#"
            11:00:00 ann view kettle
                ann: (empty)
                (front page): kettle
            11:00:20 ann view teapot
                ann: (empty)
            11:00:40 bob view teapot
                bob: kettle
            11:01:00 bob view cups
                bob: kettle
                (front page): teapot cups kettle
            11:01:10 eve view tent
                eve: teapot cups kettle
            11:01:20 fay view tent
                fay: teapot cups kettle
            11:01:40 cat view kettle
                cat: teapot cups tent
        "#]],
    );
}

#[test]
fn a_shopper_who_comes_back_the_next_day_wants_something_else() {
    let before = "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 bob view tent
         11:01:00 bob view stove";
    let page = |script: &str| {
        let told = trace(RecommendationsProcessor::default(), &format!("{before}\n{script}"));
        told.lines().rfind(|line| line.contains("eve:")).unwrap().trim().to_owned()
    };
    // The cart makes the kettle weigh more than the tent, as long as both are of today.
    expect!["eve: teapot stove"].assert_eq(&page("11:02:00 eve cart kettle\n11:02:20 eve view tent"));
    expect!["eve: stove teapot"].assert_eq(&page("11:02:00 eve cart kettle\n+1d 11:02:20 eve view tent"));
}

#[test]
fn who_has_bought_one_is_shown_what_goes_with_the_others() {
    let before = "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 bob view tent
         11:01:00 bob view stove
         11:02:00 eve view kettle
         11:02:01 eve view tent";
    let page = |line: &str| {
        let told = trace(RecommendationsProcessor::default(), &format!("{before}\n{line}"));
        told.lines().rfind(|line| line.contains("eve:")).unwrap().trim().to_owned()
    };
    expect!["eve: stove teapot"].assert_eq(&page("11:03:00 eve scroll"));
    expect!["eve: teapot stove"].assert_eq(&page("11:03:00 eve buy tent"));
}
