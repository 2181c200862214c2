//! The handles that chromedriver leaves behind in the page, and their release.
//!
//! Each of chromedriver's scripts answers with an object, which DevTools keeps alive until its handle is released.
//! chromedriver releases those of scripts about an element and forgets the others. A pointer action runs one of each
//! kind: it reads the size of the window and keeps the answer. Measured with chromium and chromedriver 156 on a static page, after
//! forced collections: 100.0 B of heap per pointer move, whatever its origin, with and without `Release Actions`
//! (find: 176 B, execute: 64 B). `Runtime.disable` frees nothing, and the handles belong to no group that could be
//! released; but their ids are numbered in order, so they can be told from a fresh one. Released after each move, in
//! the same session: 0.00 B, and the move takes as long as before (17 ms), for the release fits into the wait for the
//! next frame.
use serde_json::Value;

/// A handle's id is `ISOLATE.CONTEXT.NUMBER`; numbers count up from 1 in each context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handle {
    context: String,
    number: u64,
}

impl Handle {
    pub(crate) fn parse(id: &str) -> Option<Handle> {
        let (context, number) = id.rsplit_once('.')?;
        Some(Handle { context: context.to_owned(), number: number.parse().ok()? })
    }

    /// The fresh handle in the answer to `Runtime.evaluate`.
    pub(crate) fn of_answer(answer: &Value) -> Option<Handle> {
        Handle::parse(answer["result"]["objectId"].as_str()?)
    }

    pub(crate) fn id(&self) -> String {
        self.id_of(self.number)
    }

    fn id_of(&self, number: u64) -> String {
        format!("{}.{number}", self.context)
    }
}

/// What one hover does to the numbers: how many it uses, and which of them (from 1) it leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    used: u64,
    left: Vec<u64>,
}

/// What to do after a hover.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Release these ids; all must succeed, else call [`Handles::lost`].
    Release(Vec<String>),
    /// Make a fresh handle and call [`Handles::between`].
    Look,
    /// The driver does not know the commands that this takes.
    Nothing,
}

/// No more handles than this are looked through at a time, lest a page that takes long to recover is not kept waiting.
const LOOK_AT_MOST: u64 = 64;

/// Follows the numbers of handles in one session. Pure: the session sends the commands.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    /// All up to this one are released.
    last: Option<Handle>,
    pattern: Option<Pattern>,
    /// Other commands than one hover have used numbers since `last`.
    other_use: bool,
    unknown: bool,
}

impl Handles {
    /// What to do now that one hover is done.
    pub(crate) fn after_hover(&mut self) -> Next {
        if self.unknown {
            return Next::Nothing;
        }
        match (&mut self.last, &self.pattern) {
            (Some(last), Some(pattern)) if !self.other_use => {
                let ids = pattern.left.iter().map(|offset| last.id_of(last.number + offset)).collect();
                last.number += pattern.used;
                Next::Release(ids)
            }
            _ => Next::Look,
        }
    }

    /// Some other command was sent: what the numbers stand for is to be looked up again.
    pub(crate) fn lost(&mut self) {
        self.other_use = true;
    }

    /// The driver refuses to make handles.
    pub(crate) fn give_up(&mut self) {
        self.unknown = true;
    }

    /// All numbers that were used since the last release, up to `fresh` itself, and whether one hover used them.
    pub(crate) fn between(&self, fresh: &Handle) -> Vec<u64> {
        let from = match &self.last {
            Some(last) if last.context == fresh.context => last.number + 1,
            // Another document: what was before went with it.
            _ => 1,
        };
        (from.max(fresh.number.saturating_sub(LOOK_AT_MOST))..fresh.number).collect()
    }

    /// Notes which `released` of [`Handles::between`] were there, and learns from it what one hover does.
    pub(crate) fn looked(&mut self, fresh: Handle, released: &[u64]) {
        if let Some(last) = self.last.as_ref().filter(|last| last.context == fresh.context && !self.other_use) {
            let left = released.iter().map(|number| number - last.number).collect();
            self.pattern = Some(Pattern { used: fresh.number - last.number - 1, left });
        }
        self.last = Some(fresh);
        self.other_use = false;
    }

    /// The id of a number in the context of `fresh`.
    pub(crate) fn id(fresh: &Handle, number: u64) -> String {
        fresh.id_of(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(id: &str) -> Handle {
        Handle::parse(id).unwrap()
    }

    /// As chromedriver 156 does it: three numbers a hover, the first is left behind.
    fn trained() -> Handles {
        let mut handles = Handles::default();
        assert_eq!(handles.after_hover(), Next::Look);
        assert_eq!(handles.between(&handle("7.1.5")), [1, 2, 3, 4]);
        handles.looked(handle("7.1.5"), &[1, 2]);
        assert_eq!(handles.after_hover(), Next::Look);
        assert_eq!(handles.between(&handle("7.1.9")), [6, 7, 8]);
        handles.looked(handle("7.1.9"), &[6]);
        handles
    }

    #[test]
    fn the_pattern_is_learnt_from_one_hover_and_then_followed() {
        let mut handles = trained();
        assert_eq!(handles.after_hover(), Next::Release(vec!["7.1.10".to_owned()]));
        assert_eq!(handles.after_hover(), Next::Release(vec!["7.1.13".to_owned()]));
    }

    #[test]
    fn what_other_commands_left_is_released_too_and_teaches_nothing() {
        let mut handles = trained();
        handles.lost();
        assert_eq!(handles.after_hover(), Next::Look);
        assert_eq!(handles.between(&handle("7.1.15")), [10, 11, 12, 13, 14]);
        handles.looked(handle("7.1.15"), &[10, 12]);
        assert_eq!(handles.after_hover(), Next::Release(vec!["7.1.16".to_owned()]));
    }

    #[test]
    fn a_new_document_starts_at_one_and_its_numbers_are_not_mixed_up_with_the_old() {
        let mut handles = trained();
        handles.lost();
        assert_eq!(handles.between(&handle("7.2.4")), [1, 2, 3]);
        handles.looked(handle("7.2.4"), &[2]);
        assert_eq!(handles.after_hover(), Next::Release(vec!["7.2.5".to_owned()]));
    }

    #[test]
    fn a_page_that_uses_thousands_of_handles_does_not_stop_the_loop() {
        assert_eq!(Handles::default().between(&handle("7.1.5000")).len(), 64);
    }

    #[test]
    fn an_id_of_another_form_is_not_guessed_at() {
        assert_eq!(Handle::parse("3f2c"), None);
        assert_eq!(Handle::parse("7.1.x"), None);
        assert_eq!(handle("-7.1.2").id(), "-7.1.2");
    }
}
