//! What a browser's process is for, by its command line.

/// The part that a process plays in a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No `--type=`: the browser itself, or a program that is no browser.
    Main,
    /// `--type=renderer`: runs pages.
    Renderer,
    /// Any other `--type=`: GPU, zygote, utility, crash handler.
    Helper,
}

impl Kind {
    /// The kind by the text of `/proc/PID/cmdline`. Arguments are separated by NUL, or by spaces in processes that were
    /// forked by a zygote and then wrote their own title over it.
    pub fn of(cmdline: &str) -> Kind {
        let mut words = cmdline.split(['\0', ' ']);
        match words.find_map(|word| word.strip_prefix("--type=")) {
            None => Kind::Main,
            Some("renderer") => Kind::Renderer,
            Some(_) => Kind::Helper,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_in_both_forms_of_a_command_line() {
        for (cmdline, kind) in [
            ("/usr/lib/chromium/chromium\0--headless\0", Kind::Main),
            ("/usr/lib/chromium/chromium --type=renderer --lang=en", Kind::Renderer),
            ("/usr/lib/chromium/chromium\0--type=renderer\0", Kind::Renderer),
            ("/usr/lib/chromium/chromium --type=zygote --no-sandbox", Kind::Helper),
            ("chromium --type=utility --url=x --type=renderer", Kind::Helper),
            ("chromium --xtype=renderer --type=rendererx", Kind::Helper),
            ("", Kind::Main),
        ] {
            assert_eq!(Kind::of(cmdline), kind, "{cmdline}");
        }
    }
}
