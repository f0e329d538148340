//! System packages by apt, on Debian and its derivatives.

use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{ask, note, on_path, run};

/// Whether this system has apt.
pub fn has_apt() -> bool {
    on_path("apt-get").is_some()
}

/// Installs packages, as root or with a `sudo` that needs no password.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let root = ask(Command::new("id").arg("-u")).as_deref() == Some("0");
    if !root && ask(Command::new("sudo").args(["-n", "true"])).is_none() {
        bail!("only root may install packages; run: sudo apt-get install {}", packages.join(" "));
    }
    // A source that can't be refreshed often isn't needed, so try the installation anyway.
    if let Err(error) = run(apt_get(root).args(["update", "-qq"])) {
        note(&format!("{error:#}"));
    }
    run(apt_get(root).args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
}

/// apt, without its questions. `env` sets the variable because `sudo` drops variables.
fn apt_get(root: bool) -> Command {
    let quiet = ["DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if root {
        let mut command = Command::new("env");
        command.args(quiet);
        command
    } else {
        let mut command = Command::new("sudo");
        command.args(["-n", "env"]).args(quiet);
        command
    }
}
