//! The colours of both themes. Contrast and order were chosen so that texts
//! reach 4.5:1 on their ground, and series differ in lightness and dash as well
//! as in hue.

use crate::{Color, Dash, MarkKind, Picture, RuleKind, Series, Style, Theme};

const fn hex(rgb: u32) -> Color {
    let bytes = rgb.to_be_bytes();
    Color::rgb(bytes[1], bytes[2], bytes[3])
}

/// Every colour that is not a series'.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Colors {
    pub(crate) surface: Color,
    /// Of the plot areas, where it is another.
    pub(crate) canvas: Option<Color>,
    pub(crate) ink: Color,
    pub(crate) quiet: Color,
    pub(crate) grid: Color,
    pub(crate) axis: Color,
    pub(crate) gap: Color,
    dark: bool,
    terminal: bool,
}

/// How many series have a colour of their own before the colours begin again with another pattern; fewer in a terminal.
pub const HUES: usize = 8;

/// After red, hues of Okabe and Ito's palette for all kinds of colour vision
/// (jfly.uni-koeln.de/color), darkened where they are too light for a thin line.
const LIGHT: [u32; HUES] = [0xff_0000, 0x00_72b2, 0x00_8f68, 0xd9_8200, 0x7a_3fa0, 0x2a_a5e0, 0xb8_4f8c, 0x4d_4d4d];
const DARK: [u32; HUES] = [0xff_4d4d, 0x4d_a6ff, 0x2e_cc9a, 0xff_b340, 0xb9_8aff, 0x8a_d4ff, 0xff_8ac4, 0xc8_c8c8];

/// One of each hue that a terminal has, the darkest last.
const TERMINAL: [u32; 6] = [0xff_0000, 0x00_c0c0, 0x00_c000, 0xc0_c000, 0xc0_00c0, 0x00_00ff];

const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDot];

impl Colors {
    /// The theme's, with those that the picture has of its own.
    pub(crate) fn of(picture: &Picture) -> Colors {
        let (theme, own) = (Colors::theme(picture.theme), picture.colors);
        Colors {
            surface: own.back.unwrap_or(theme.surface),
            canvas: own.canvas,
            ink: own.font.unwrap_or(theme.ink),
            quiet: own.font.unwrap_or(theme.quiet),
            grid: own.grid.unwrap_or(theme.grid),
            axis: own.axis.unwrap_or(theme.axis),
            ..theme
        }
    }

    /// The same with series in the hues of a terminal.
    pub(crate) fn of_terminal(picture: &Picture) -> Colors {
        Colors { terminal: true, ..Colors::of(picture) }
    }

    fn theme(theme: Theme) -> Colors {
        match theme {
            Theme::Light => Colors {
                canvas: None,
                surface: hex(0xff_ffff),
                ink: hex(0x1b_1f24),
                quiet: hex(0x59_636e),
                grid: hex(0xe7_eaee),
                axis: hex(0x9a_a3ad),
                gap: hex(0x59_636e).fade(0.10),
                dark: false,
                terminal: false,
            },
            Theme::Dark => Colors {
                canvas: None,
                surface: hex(0x12_161b),
                ink: hex(0xed_f0f3),
                quiet: hex(0xa4_aeb9),
                grid: hex(0x28_2e36),
                axis: hex(0x6b_7682),
                gap: hex(0xa4_aeb9).fade(0.13),
                dark: true,
                terminal: false,
            },
        }
    }

    /// The colour and the dash of a series: the `index`-th of the picture, the `place`-th of its panel. Of the first 32
    /// of a panel that bring none of their own (24 in a terminal) no two are alike in both.
    pub(crate) fn series(self, series: &Series, index: usize, place: usize) -> (Color, Dash) {
        let palette: &[u32] = match (self.terminal, self.dark) {
            (true, _) => &TERMINAL,
            (false, true) => &DARK,
            (false, false) => &LIGHT,
        };
        let color = series.color.unwrap_or(hex(palette[series.turn.unwrap_or(index) % palette.len()]));
        let dash = match series.style {
            Style::Area => Dash::Solid,
            Style::Line { dash, .. } => dash.unwrap_or(DASHES[(place + place / palette.len()) % DASHES.len()]),
        };
        (color, dash)
    }

    /// The line over an area of this colour: pure red is too bright on white and
    /// too dim on black.
    pub(crate) fn line(self, color: Color) -> Color {
        if self.dark { color.mix(hex(0xff_ffff), 0.2) } else { color.mix(hex(0), 0.12) }
    }

    pub(crate) fn rule(self, kind: RuleKind) -> Color {
        match (kind, self.dark) {
            (RuleKind::Limit, false) => hex(0x8a_1253),
            (RuleKind::Limit, true) => hex(0xff_8ac4),
            (RuleKind::Floor, false) => hex(0x00_5a8d),
            (RuleKind::Floor, true) => hex(0x6c_b6ff),
            (RuleKind::Other, _) => self.quiet,
        }
    }

    pub(crate) fn mark(self, kind: MarkKind) -> Color {
        let (light, dark) = match kind {
            MarkKind::OutOfMemory | MarkKind::Thrashing => (0x8a_1253, 0xff_8ac4),
            MarkKind::Crash | MarkKind::Signal => (0x6a_1b9a, 0xc9_9bff),
            MarkKind::Restart | MarkKind::Start => (0x00_6b4f, 0x3d_d6a3),
            MarkKind::Navigation => (0x1a_56b0, 0x7a_b8ff),
            MarkKind::Gap | MarkKind::Unresponsive | MarkKind::Collection | MarkKind::Other => (0x59_636e, 0xa4_aeb9),
            MarkKind::End | MarkKind::Exit | MarkKind::Snapshot => (0x1b_1f24, 0xed_f0f3),
        };
        hex(if self.dark { dark } else { light })
    }
}

impl MarkKind {
    /// What it is called in the legend.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            MarkKind::OutOfMemory => "out of memory",
            MarkKind::Crash => "crash",
            MarkKind::Signal => "signal",
            MarkKind::Exit => "exit",
            MarkKind::Thrashing => "thrashing",
            MarkKind::Unresponsive => "unresponsive",
            MarkKind::Restart => "restart",
            MarkKind::Gap => "gap",
            MarkKind::Start => "start",
            MarkKind::End => "end",
            MarkKind::Snapshot => "snapshot",
            MarkKind::Other => "event",
            MarkKind::Navigation => "navigation",
            MarkKind::Collection => "collection",
        }
    }

    /// The sign above its line; the typeface has all of them.
    #[must_use]
    pub const fn glyph(self) -> &'static str {
        match self {
            MarkKind::OutOfMemory => "✖",
            MarkKind::Crash => "✕",
            MarkKind::Signal => "⚡",
            MarkKind::Exit => "⇥",
            MarkKind::Thrashing => "≋",
            MarkKind::Unresponsive => "◷",
            MarkKind::Restart => "↻",
            MarkKind::Gap => "∅",
            MarkKind::Start => "▶",
            MarkKind::End => "■",
            MarkKind::Snapshot => "◉",
            MarkKind::Other => "◆",
            MarkKind::Navigation => "→",
            MarkKind::Collection => "╷",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_many_lines_of_a_panel_are_drawn_alike() {
        let (line, picture) = (Series::line("s", Vec::new(), 1.0), Picture::new("", 0.0, 1.0));
        for (colors, many) in [(Colors::of(&picture), 32), (Colors::of_terminal(&picture), 24)] {
            let drawn: Vec<(Color, Dash)> = (0..many).map(|place| colors.series(&line, 3 + place, place)).collect();
            let alike = drawn.iter().enumerate().any(|(place, one)| drawn[..place].contains(one));
            assert!(!alike, "{drawn:?}");
        }
    }
}
