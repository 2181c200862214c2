//! The picture that is there already: its size, and whether `--lazy` may leave it.

use std::fs::{File, metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A picture's head: of a PNG 24 bytes tell its size, of our SVG its first element.
const HEAD: u64 = 512;

/// Width and height, as they are printed for scripts: `917x695`.
pub(crate) fn size_of(image: &[u8]) -> Option<(u32, u32)> {
    if image.starts_with(b"\x89PNG\r\n\x1a\n") {
        let number = |at: usize| Some(u32::from_be_bytes(image.get(at..at + 4)?.try_into().ok()?));
        return Some((number(16)?, number(20)?));
    }
    let head = String::from_utf8_lossy(image.get(..image.len().min(512))?);
    let element = head.strip_prefix("<svg ")?.split_once('>')?.0;
    let number = |name: &str| {
        let digits = element.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
        digits.parse::<u32>().ok()
    };
    Some((number(" width").or_else(|| number("width"))?, number(" height")?))
}

/// The size of the picture at `path`, if it may stay: it is younger than `pixel`, or its time does not move and no
/// store was written since.
pub(crate) fn may_stay(
    path: &Path,
    now_us: i64,
    pixel: Duration,
    moves: bool,
    stores: &[PathBuf],
) -> Option<(u32, u32)> {
    let drawn = metadata(path).and_then(|found| found.modified()).ok()?;
    let now = UNIX_EPOCH + Duration::from_micros(now_us.unsigned_abs());
    let young = now.duration_since(drawn).is_ok_and(|age| age < pixel);
    let unchanged = || !moves && stores.iter().all(|store| written(store).is_some_and(|written| written < drawn));
    if !young && !unchanged() {
        return None;
    }
    let mut head = Vec::new();
    File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)).ok()?;
    size_of(&head)
}

/// When a store was last written; what was committed lately is in the file beside it.
fn written(store: &Path) -> Option<SystemTime> {
    let modified = |path: &Path| metadata(path).and_then(|found| found.modified()).ok();
    let mut beside = store.as_os_str().to_owned();
    beside.push("-wal");
    modified(store).map(|own| modified(Path::new(&beside)).map_or(own, |log| own.max(log)))
}

#[cfg(test)]
mod tests {
    use heapsoak_chart::{Picture, png, svg};

    use super::*;

    #[test]
    fn the_size_is_read_from_what_we_draw_and_from_nothing_else() {
        let mut picture = Picture::new("x", 0.0, 60.0);
        picture.size.full = true;
        assert_eq!(size_of(&png(&picture).unwrap()), Some((800, 600)));
        assert_eq!(size_of(svg(&picture).unwrap().as_bytes()), Some((800, 600)));
        for other in [
            &b""[..],
            b"\x89PNG\r\n\x1a\n",
            b"<svg ",
            b"<svg width=\"x\" height=\"1\">",
            b"GIF89a",
            b" <svg width=\"3\" height=\"4\">",
        ] {
            assert_eq!(size_of(other), None);
        }
    }
}
