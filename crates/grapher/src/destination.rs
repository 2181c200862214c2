//! Where a picture goes, and as what: a file that is replaced whole, or stdout; pixels, or lines and text.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::ValueEnum;
use heapsoak_chart::{Picture, Terminal};
use heapsoak_cli::output;

use crate::{drawn, screen};

/// What kind of picture is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImageFormat {
    /// Pixels
    Png,
    /// Lines and texts, with hover titles
    Svg,
    /// Characters, as large as the terminal; 80 × 24 and without colour where there is none
    Term,
    /// What is drawn, as data
    Json,
    /// The same in lines for a spreadsheet
    Csv,
}

impl ImageFormat {
    /// Where it goes when nobody says: pictures to a file, text and data to stdout.
    fn usual_path(self) -> &'static str {
        match self {
            ImageFormat::Png => "heap.png",
            ImageFormat::Svg => "heap.svg",
            ImageFormat::Term | ImageFormat::Json | ImageFormat::Csv => "-",
        }
    }

    fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "png" => ImageFormat::Png,
            "svg" => ImageFormat::Svg,
            "txt" => ImageFormat::Term,
            "json" => ImageFormat::Json,
            "csv" => ImageFormat::Csv,
            _ => return None,
        })
    }
}

/// Where the picture goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    path: PathBuf,
    format: ImageFormat,
    /// Columns and rows in place of the terminal's.
    characters: (Option<u32>, Option<u32>),
    mode: u32,
}

impl Output {
    /// Takes the format from the extension when it is not given; no extension, and stdout, are PNG. `size` is the width
    /// and height asked for, which of a terminal are columns and rows.
    pub(crate) fn new(
        path: Option<PathBuf>,
        format: Option<ImageFormat>,
        size: (Option<u32>, Option<u32>),
    ) -> anyhow::Result<Self> {
        let path = path.unwrap_or_else(|| format.unwrap_or(ImageFormat::Png).usual_path().into());
        let extension = path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase());
        let format = match (format, extension.as_deref()) {
            (Some(format), _) => format,
            (None, None) => ImageFormat::Png,
            (None, Some(extension)) => match ImageFormat::of_extension(extension) {
                Some(format) => format,
                None => bail!(
                    "{}: pictures are not made as .{extension}: name it .png, .svg, .txt, .json or .csv, or give --format",
                    path.display()
                ),
            },
        };
        let characters = if format == ImageFormat::Term { size } else { (None, None) };
        Ok(Self { path, format, characters, mode: output::PRIVATE })
    }

    /// Whether other users may read the picture, which says whose page it is of.
    pub(crate) fn public(self, public: bool) -> Self {
        Self { mode: output::mode(public), ..self }
    }

    /// Whether it is text for the terminal of whoever asked.
    pub(crate) fn is_screen(&self) -> bool {
        self.is_stdout() && self.format == ImageFormat::Term
    }

    /// Whether it is made of characters, of which a canvas has no number of pixels.
    pub(crate) fn is_text(&self) -> bool {
        self.format == ImageFormat::Term
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_stdout(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Fails now rather than after the work when the picture cannot be put there.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        if !self.is_stdout() {
            output::prepare(&self.path)?;
        }
        Ok(())
    }

    /// Puts the picture there, whole.
    pub(crate) fn put(&self, image: &[u8]) -> anyhow::Result<()> {
        match self.is_stdout() {
            true => output::stdout(|out| out.write_all(image))?,
            false => output::redraw(&self.path, image, self.mode)?,
        }
        Ok(())
    }

    /// Draws it in the format that goes there.
    pub(crate) fn encode(&self, picture: &Picture) -> anyhow::Result<Vec<u8>> {
        Ok(match self.format {
            ImageFormat::Png => heapsoak_chart::png(picture)?,
            ImageFormat::Svg => heapsoak_chart::svg(picture)?.into_bytes(),
            ImageFormat::Term => {
                let terminal = screen::terminal(self.characters);
                let terminal = Terminal { color: terminal.color && self.is_stdout(), ..terminal };
                heapsoak_chart::term(picture, terminal)?.into_bytes()
            }
            ImageFormat::Json => drawn::json(picture)?,
            ImageFormat::Csv => drawn::csv(picture)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_data_go_to_stdout_unless_a_file_is_named() {
        let path = |flag| Output::new(None, Some(flag), (None, None)).map(|output| output.path).unwrap();
        assert_eq!(path(ImageFormat::Svg), PathBuf::from("heap.svg"));
        for flag in [ImageFormat::Term, ImageFormat::Json, ImageFormat::Csv] {
            assert_eq!(path(flag), PathBuf::from("-"));
        }
    }

    #[test]
    fn the_extension_decides_and_the_flag_decides_over_it() {
        let format =
            |path: &str, flag| Output::new(Some(path.into()), flag, (None, None)).map(|output| output.format).ok();
        assert_eq!(format("a.png", None), Some(ImageFormat::Png));
        assert_eq!(format("a.SVG", None), Some(ImageFormat::Svg));
        assert_eq!(format("a.csv", None), Some(ImageFormat::Csv));
        assert_eq!(format("-", None), Some(ImageFormat::Png));
        assert_eq!(format("a.jpg", None), None);
        assert_eq!(format("a.jpg", Some(ImageFormat::Png)), Some(ImageFormat::Png));
    }
}
