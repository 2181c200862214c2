//! Where a picture goes, and as what: a file that is replaced whole, or stdout; pixels, or lines and text.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::ValueEnum;
use heapsoak_chart::Picture;
use heapsoak_cli::output;

/// What kind of picture is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImageFormat {
    Png,
    Svg,
}

/// Where the picture goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    path: PathBuf,
    format: ImageFormat,
}

impl Output {
    /// Takes the format from the extension when it is not given; no extension, and stdout, are PNG.
    pub(crate) fn new(path: PathBuf, format: Option<ImageFormat>) -> anyhow::Result<Self> {
        let extension = path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase());
        let format = match (format, extension.as_deref()) {
            (Some(format), _) => format,
            (None, None | Some("png")) => ImageFormat::Png,
            (None, Some("svg")) => ImageFormat::Svg,
            (None, Some(other)) => {
                bail!("{}: pictures are not made as .{other}: name it .png or .svg, or give --format", path.display())
            }
        };
        Ok(Self { path, format })
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
            false => output::replace(&self.path, image, output::SHARED)?,
        }
        Ok(())
    }

    /// Draws it in the format that goes there.
    pub(crate) fn encode(&self, picture: &Picture) -> anyhow::Result<Vec<u8>> {
        Ok(match self.format {
            ImageFormat::Png => heapsoak_chart::png(picture)?,
            ImageFormat::Svg => heapsoak_chart::svg(picture)?.into_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_and_the_flag_decides_over_it() {
        let format = |path: &str, flag| Output::new(path.into(), flag).map(|output| output.format).ok();
        assert_eq!(format("a.png", None), Some(ImageFormat::Png));
        assert_eq!(format("a.SVG", None), Some(ImageFormat::Svg));
        assert_eq!(format("-", None), Some(ImageFormat::Png));
        assert_eq!(format("a.jpg", None), None);
        assert_eq!(format("a.jpg", Some(ImageFormat::Png)), Some(ImageFormat::Png));
    }
}
