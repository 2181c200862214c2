//! What may be stored or shown of addresses and command lines: everything but passwords.

use std::borrow::Cow;

/// What stands where a secret stood.
const HIDDEN: &str = "***";

/// Parts of a flag's, variable's or parameter's name that say its value is a secret.
const SECRET_NAMES: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "credential",
    "authorization",
    "cookie",
];

/// Flags before a `user:password`, as curl and wget have them.
const USER_FLAGS: [&str; 3] = ["-u", "--user", "--proxy-user"];

/// Removes the password of a URL's user and the values of secret query parameters.
///
/// Text that is no URL is searched for addresses inside it, so that `label=ws://user:pass@host/` and whole lines of a
/// log are safe too.
///
/// ```
/// use heapsoak_cli::redact::url;
/// assert_eq!(url("http://me:pa@grid:4444/?token=x&y=1"), "http://me:***@grid:4444/?token=***&y=1");
/// ```
#[must_use]
pub fn url(text: &str) -> String {
    text.split_inclusive(is_separator).map(word).collect()
}

/// A word, and what separates it from the next.
fn word(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let address_end = tail.find("://").unwrap_or(tail.len());
        out.push_str(&address(&tail[..address_end]));
        rest = &tail[address_end..];
    }
    out.push_str(&bare_user(rest));
    out
}

/// A command line in one text for people, arguments with spaces quoted, without passwords: those of URLs, of
/// `user:pass@host`, of flags such as `--password`, of settings such as `API_TOKEN=…`, of headers such as
/// `Authorization: …`, and of `-u user:pass`. A flag that has its secret glued on (`-pSECRET`) cannot be told from others.
#[must_use]
pub fn command_line<S: AsRef<str>>(args: &[S]) -> String {
    arguments(args).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The same, each argument for itself and unquoted.
#[must_use]
pub fn arguments<S: AsRef<str>>(args: &[S]) -> Vec<String> {
    let mut words = Vec::with_capacity(args.len());
    let (mut hide_next, mut user_next) = (false, false);
    for arg in args.iter().map(AsRef::as_ref) {
        let word = match (header(arg), arg.split_once('=')) {
            _ if hide_next && !arg.starts_with("--") => HIDDEN.to_owned(),
            (Some(shown), _) => shown,
            // Of a URL each part is looked at for itself.
            (None, Some((name, _))) if is_secret(name) && !name.contains("://") => format!("{name}={HIDDEN}"),
            _ if user_next => hide_password(arg),
            _ => url(arg),
        };
        user_next = USER_FLAGS.contains(&arg);
        hide_next = arg.starts_with('-') && !arg.contains('=') && is_secret(arg);
        words.push(word);
    }
    words
}

/// A header whose value is a secret, without it: `Authorization: ***`, also behind `--header=`.
fn header(text: &str) -> Option<String> {
    let (before, _) = text.split_once(':')?;
    let name = before.rsplit('=').next()?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_name && is_secret(name)).then(|| format!("{before}: {HIDDEN}"))
}

/// What follows `://`: user, host, path, query.
fn address(text: &str) -> String {
    let authority_end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (authority, tail) = text.split_at(authority_end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", hide_password(user)),
        None => authority.to_owned(),
    };
    authority + &query(tail)
}

fn hide_password(user: &str) -> String {
    match user.split_once(':') {
        Some((name, _)) => format!("{name}:{HIDDEN}"),
        None => user.to_owned(),
    }
}

/// Hides the values of secret parameters in `/path?a=b&token=c#token=d`.
fn query(text: &str) -> String {
    text.split_inclusive(['?', '&', '#', ';'])
        .map(|part| match part.split_once('=') {
            Some((name, value)) if is_secret(name) => {
                let end = value.strip_suffix(['?', '&', '#', ';']).map_or("", |kept| &value[kept.len()..]);
                format!("{name}={HIDDEN}{end}")
            }
            _ => part.to_owned(),
        })
        .collect()
}

/// `user:pass@host` without a scheme.
fn bare_user(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((user, host)) if user.contains(':') && !host.is_empty() => {
            format!("{}@{host}", hide_password(user))
        }
        _ => text.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // PWD itself is a folder.
    SECRET_NAMES.iter().any(|part| name.contains(part)) || name.ends_with("_pwd")
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>')
}

fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,?&#*[]".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_urls_are_hidden_wherever_they_stand() {
        for (text, shown) in [
            ("http://127.0.0.1:4444/", "http://127.0.0.1:4444/"),
            ("http://me:pa@grid/", "http://me:***@grid/"),
            ("http://me:p@ss:w@grid/x@y", "http://me:***@grid/x@y"),
            ("http://me@grid", "http://me@grid"),
            ("api=ws://a:b@h:1/id", "api=ws://a:***@h:1/id"),
            ("see http://a:b@h, or https://c:d@i", "see http://a:***@h, or https://c:***@i"),
            ("me:pa@grid:4444", "me:***@grid:4444"),
            ("idle (\"http\", me:pa@grid:4444)\n", "idle (\"http\", me:***@grid:4444)\n"),
            ("a@b.c wrote at 12:30", "a@b.c wrote at 12:30"),
            ("http://h/?access_token=x#secret=y", "http://h/?access_token=***#secret=***"),
            ("http://h/?time=12:30&mail=a@b.c", "http://h/?time=12:30&mail=a@b.c"),
            ("é://ü:ö@ä", "é://ü:***@ä"),
        ] {
            assert_eq!(url(text), shown, "{text}");
        }
    }

    #[test]
    fn secrets_of_headers_users_and_settings_are_hidden_and_folders_are_not() {
        let words = ["-H", "Authorization: Basic canary==", "--header=X-Api-Key:canary", "Cookie: a=canary; b=canary"];
        let more = ["-u", "me:canary", "MYSQL_PWD=canary", "PWD=/srv", "Accept: text/html"];
        assert_eq!(
            arguments(&[&words[..], &more].concat()).join(" "),
            "-H Authorization: *** --header=X-Api-Key: *** Cookie: *** -u me:*** MYSQL_PWD=*** PWD=/srv Accept: text/html"
        );
    }

    #[test]
    fn a_url_with_two_secrets_loses_both() {
        let shown = command_line(&["--url", "http://me:canary@h/?access_token=canary&x=1", "--token=http://h/?canary"]);
        assert_eq!(shown, "--url http://me:***@h/?access_token=***&x=1 --token=***");
    }

    #[test]
    fn secrets_of_flags_and_settings_never_reach_the_store() {
        let shown = command_line(&[
            "recorder",
            "--webdriver",
            "http://u:canary@grid",
            "--password",
            "canary",
            "--",
            "env",
            "API_TOKEN=canary",
            "node",
            "--my-secret=canary",
            "a b",
            "it's",
        ]);
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(
            shown,
            "recorder --webdriver http://u:***@grid --password *** -- env API_TOKEN=*** node --my-secret=*** 'a b' \
             'it'\\''s'"
        );
    }
}
