//! The letter behind a backslash at the end of a legend or comment, which places the text.

use heapsoak_chart::Align;

/// What follows a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// The line ends, and lies so; `None`: as TEXTALIGN says.
    End(Option<Align>),
    /// The line ends, and half a line of space follows.
    Space,
    /// The next text follows without a space.
    Glue,
}

/// The text without its control, and that.
pub(crate) fn control(text: &str) -> (&str, Option<Control>) {
    const CONTROLS: [(&str, Control); 7] = [
        (r"\n", Control::End(None)),
        (r"\l", Control::End(Some(Align::Left))),
        (r"\r", Control::End(Some(Align::Right))),
        (r"\c", Control::End(Some(Align::Center))),
        (r"\j", Control::End(Some(Align::Justified))),
        (r"\s", Control::Space),
        (r"\g", Control::Glue),
    ];
    let found = CONTROLS.into_iter().find_map(|(letters, control)| Some((text.strip_suffix(letters)?, control)));
    found.map_or((text, None), |(text, control)| (text, Some(control)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_text_places_it() {
        assert_eq!(control(r"max\l"), ("max", Some(Control::End(Some(Align::Left)))));
        assert_eq!(control(r"\s"), ("", Some(Control::Space)));
        assert_eq!(control(r"a\nb"), (r"a\nb", None));
        assert_eq!(control("plain"), ("plain", None));
    }
}
