//! What the tests of golden scripts share.

/// A test for each of these scripts in `tests/FOLDER/`, each with a runner of its own.
macro_rules! golden_scripts {
    ($folder:literal, $runner:expr, $($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            let script = concat!("tests/", $folder, "/", stringify!($name));
            goldenscript::run(&mut $runner, script).expect("the script runs");
        })+
    };
}

pub(crate) use golden_scripts;
