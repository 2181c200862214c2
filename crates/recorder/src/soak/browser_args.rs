//! Which arguments of the user's own a browser may be started with.
//!
//! They neither take away what recorder and driver need, nor switch off in silence what protects from the page.

use anyhow::bail;

/// Set by the recorder or its driver; names that begin so.
const OURS: [&str; 2] = ["user-data-dir", "remote-debugging"];

/// These run the page, or what draws it, in a process that has no sandbox, without naming it.
const WITHOUT_NAMING_IT: [&str; 4] = ["single-process", "in-process-gpu", "no-zygote", "renderer-cmd-prefix"];

/// The arguments as they were given.
///
/// # Errors
/// When one is the recorder's own, or lifts a sandbox that is on (`sandboxed`).
pub(super) fn checked(arguments: &[String], sandboxed: bool) -> anyhow::Result<Vec<String>> {
    for argument in arguments {
        let plain = argument.to_ascii_lowercase();
        let name = name(&plain);
        if name.is_empty() {
            bail!(
                "--browser-arg={argument}: this names no argument; write one, for instance --browser-arg=--mute-audio"
            );
        }
        if OURS.iter().any(|ours| name.starts_with(ours)) {
            bail!("--browser-arg={argument}: the recorder sets this itself; leave it out");
        }
        // Features and flags of V8 that lift it have its name in their value.
        if sandboxed && (plain.contains("sandbox") || WITHOUT_NAMING_IT.contains(&name)) {
            bail!(
                "--browser-arg={argument}: this takes the browser's sandbox away, which --no-sandbox alone may; leave it \
                 out, or add --no-sandbox if you trust the page with this machine"
            );
        }
    }
    Ok(arguments.to_vec())
}

/// What is before `=`, without dashes: a driver takes `--name`, `-name` and `name` for the same.
fn name(argument: &str) -> &str {
    let name = argument.split_once('=').map_or(argument, |(name, _)| name);
    name.trim_start_matches(|each: char| each == '-' || each.is_whitespace()).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(argument: &str, sandboxed: bool) -> Option<String> {
        checked(&[argument.to_owned()], sandboxed).err().map(|error| error.to_string())
    }

    /// Each way to write an argument that a driver understands, and some that it may yet learn.
    fn forms(name: &str) -> Vec<String> {
        let dashed = ["", "-", "--", "---", " --"].map(|dashes| format!("{dashes}{name}"));
        dashed
            .iter()
            .flat_map(|form| [form.clone(), form.to_uppercase(), format!("{form}=1"), format!("{form} =1")])
            .collect()
    }

    #[test]
    fn what_recorder_and_driver_set_themselves_is_refused_in_every_form() {
        for name in ["user-data-dir", "remote-debugging-port", "remote-debugging-address", "remote-debugging-pipe"] {
            for (form, sandboxed) in forms(name).into_iter().flat_map(|form| [(form.clone(), true), (form, false)]) {
                let said = refusal(&form, sandboxed).unwrap_or_else(|| panic!("`{form}` is let through"));
                assert!(said.contains(&form) && said.contains("leave it out"), "{said}");
            }
        }
        assert!(refusal("remote-debugging-address=0.0.0.0", true).is_some());
    }

    #[test]
    fn what_lifts_the_sandbox_is_refused_in_every_form_unless_it_is_off_anyway() {
        for name in [
            "no-sandbox",
            "disable-setuid-sandbox",
            "disable-namespace-sandbox",
            "disable-seccomp-filter-sandbox",
            "disable-gpu-sandbox",
            "allow-no-sandbox-job",
            "allow-sandbox-debugging",
            "no-zygote",
            "no-unsandboxed-zygote",
            "single-process",
            "in-process-gpu",
            "renderer-cmd-prefix",
        ] {
            for form in forms(name) {
                let said = refusal(&form, true).unwrap_or_else(|| panic!("`{form}` is let through"));
                assert!(said.contains(&form) && said.contains("add --no-sandbox"), "{said}");
                assert_eq!(refusal(&form, false), None, "{form}");
            }
        }
        assert!(refusal("--disable-features=NetworkServiceSandbox", true).is_some());
    }

    #[test]
    fn an_argument_without_a_name_would_end_all_arguments_and_is_refused() {
        for argument in ["", "-", "--", "--=1"] {
            assert!(refusal(argument, false).is_some(), "`{argument}`");
        }
    }

    #[test]
    fn all_else_goes_to_the_browser_as_it_was_given() {
        let given = [
            "--js-flags=--max-old-space-size=60",
            "mute-audio",
            "--Lang=de",
            "--process-per-site",
            "--disable-user-data-dir-x",
            "--proxy-server=single-process",
        ];
        let given = given.map(str::to_owned);
        assert_eq!(checked(&given, true).unwrap(), given);
    }
}
