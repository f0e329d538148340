//! The pinned versions of the tools, and how to read the version that a tool prints.
//!
//! These versions are known to work together. Each comment says what other versions break.

/// Trunk 0.22 needs a newer compiler than `rust-toolchain.toml` pins.
pub const TRUNK: &str = "0.21.14";

/// The release of Binaryen whose `wasm-opt` is used; `package.json` pins the same.
///
/// Old releases, such as Debian's 108, report success but write a module that crashes in the browser.
pub const BINARYEN: &str = "132";

/// The oldest Node whose test runner has the options that the browser tests use.
pub const NODE_MAJOR: u32 = 20;

/// The library whose command-line tool must have the same version, which `Cargo.lock` pins.
pub const WASM_BINDGEN: &str = "wasm-bindgen";

/// The Python package of the title encoder, all-MiniLM-L6-v2.
pub const TITLE_ENCODER: &str = "0.1.0";

/// The SHA-256 of the model in that package. The reference values of the trainer's test come from this model.
pub const TITLE_ENCODER_SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";

/// The version in the output of `--version`: the first word that begins with a digit, or with a `v` and a digit.
pub fn stated_version(output: &str) -> Option<&str> {
    output
        .split_whitespace()
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
}

/// The first number of a version.
pub fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// The version of a package in the text of a `Cargo.lock`.
///
/// Cargo writes the `version` line of a package right after its `name` line, so no TOML parser is needed. If a package
/// has several versions, this takes the first; the packages that we look up have one.
pub fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name_line = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name_line).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_prints_its_version_in_its_own_way() {
        // These are the tools' own outputs, with those of npm's and Debian's wasm-opt.
        assert_eq!(stated_version("trunk 0.21.14\n"), Some("0.21.14"));
        assert_eq!(stated_version("wasm-bindgen 0.2.129\n"), Some("0.2.129"));
        assert_eq!(stated_version("wasm-opt version 132 (version_132)"), Some("132"));
        assert_eq!(stated_version("wasm-opt version 108"), Some("108"));
        assert_eq!(stated_version("v20.20.2\n"), Some("20.20.2"));
        assert_eq!(stated_version("command not found"), None);
    }

    #[test]
    fn major_is_the_first_number() {
        assert_eq!(major("20.20.2"), Some(20));
        assert_eq!(major("132"), Some(132));
        assert_eq!(major("next"), None);
    }

    #[test]
    fn a_locked_package_is_found_by_its_whole_name() {
        // `wasm-bindgen` is also the beginning of other packages' names.
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\nsource = \"registry\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.129"));
        assert_eq!(locked_version(lock, "bindgen"), None);
        assert_eq!(locked_version("", "wasm-bindgen"), None);
    }

    #[test]
    fn package_json_pins_the_same_binaryen() {
        let package = include_str!("../../package.json");
        assert!(package.contains(&format!("\"binaryen\": \"{BINARYEN}.0.0\"")));
    }
}
