//! A terminal on which a picture is drawn again and again in the same place, and stdout where it is none.

use std::io::{self, IsTerminal, Write};

use heapsoak_chart::Terminal;

/// The other screen, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// What comes between these two appears at once, where the terminal knows that.
const TOGETHER: (&str, &str) = ("\x1b[?2026h", "\x1b[?2026l");

/// What stdout is, and what was asked for over that: columns, rows.
pub(crate) fn terminal(asked: (Option<u32>, Option<u32>)) -> Terminal {
    let usual = Terminal::default();
    let is_terminal = io::stdout().is_terminal();
    let found = terminal_size::terminal_size_of(io::stdout()).filter(|_| is_terminal);
    let found = found.map_or((usual.columns, usual.rows), |(columns, rows)| (columns.0, rows.0.saturating_sub(1)));
    let or = |asked: Option<u32>, found| asked.map_or(found, |asked| u16::try_from(asked).unwrap_or(u16::MAX));
    let has = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let color = is_terminal && has("NO_COLOR").is_none() && has("TERM").is_some_and(|term| term != "dumb");
    Terminal { columns: or(asked.0, found.0), rows: or(asked.1, found.1), color }
}

/// Stdout while pictures come: on a terminal one in the place of the other, else one below the other.
pub(crate) struct Screen {
    is_terminal: bool,
    last: String,
}

impl Screen {
    pub(crate) fn enter() -> io::Result<Self> {
        let screen = Self { is_terminal: io::stdout().is_terminal(), last: String::new() };
        if screen.is_terminal {
            write(ENTER)?;
        }
        Ok(screen)
    }

    /// Whether one frame takes the place of the one before, so that nothing else may be written.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Shows `text`, whole lines.
    pub(crate) fn show(&mut self, text: &str) -> io::Result<()> {
        if self.is_terminal {
            let lines: String = text.lines().map(|line| format!("{line}\x1b[K\r\n")).collect();
            write(&format!("{}\x1b[H{lines}\x1b[J{}", TOGETHER.0, TOGETHER.1))?;
            self.last = text.to_owned();
            return Ok(());
        }
        let between = if self.last.is_empty() { "" } else { "\n" };
        self.last = " ".to_owned();
        write(&format!("{between}{text}"))
    }
}

impl Drop for Screen {
    /// The last picture stays to be read.
    fn drop(&mut self) {
        if self.is_terminal {
            // A terminal that is gone needs no tidying.
            drop(write(&format!("{LEAVE}{}", self.last)));
        }
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
