//! Short labels for programs: a source's name leaves room for five characters of them.

/// Longest label before a source's name.
const LONGEST: usize = 5;

/// Programs that start the program one means.
const LAUNCHERS: [&str; 9] =
    ["npm", "npm-cli.js", "npx", "npx-cli.js", "yarn", "yarn.js", "pnpm", "pnpm.cjs", "corepack.js"];

/// Whether a script only starts another program.
pub(crate) fn is_launcher(script: &str) -> bool {
    script.rsplit('/').next().is_some_and(|name| LAUNCHERS.contains(&name))
}

/// The labels that are given away.
#[derive(Debug, Default)]
pub(crate) struct Labels(Vec<String>);

impl Labels {
    /// A label of at most five characters that nobody has, begun like `name`.
    pub(crate) fn short(&mut self, name: &str) -> String {
        let fits: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let name = if fits.is_empty() { "node" } else { &fits };
        let mut label: String = name.chars().take(LONGEST).collect();
        let mut number = 2;
        while self.0.contains(&label) {
            let digits = number.to_string();
            label = name.chars().take(LONGEST - digits.len().min(LONGEST)).collect::<String>() + &digits;
            number += 1;
        }
        self.0.push(label.clone());
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_never_given_twice() {
        let mut labels = Labels::default();
        let given: Vec<_> =
            ["server", "server-2", "servant", "a_b", "", "日本"].iter().map(|name| labels.short(name)).collect();
        assert_eq!(given, ["serve", "serv2", "serva", "ab", "node", "node2"]);
    }

    #[test]
    fn npm_is_not_the_program_that_one_means() {
        assert!(is_launcher("/usr/lib/node_modules/npm/bin/npm-cli.js"));
        assert!(!is_launcher("/srv/app/npm.js"));
    }
}
