//! Draws a gallery of pictures to look at, in both themes and at scales 1 and 2, from
//! made-up data and, where a folder of CSV files with the columns `t_s` and
//! `heap_used` is named, from those.
//!
//! `cargo run --example gallery -- OUT_FOLDER [CSV_FOLDER]`

#![allow(clippy::cast_precision_loss, reason = "made-up data")]

mod scenes;

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use heapsoak_chart::{Picture, Point, Terminal, Theme, png, svg, term};

use scenes::{NOW, gallery, heap_panel, picture};

fn from_csv(path: &Path) -> Result<Option<Picture>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| header.iter().position(|found| *found == name);
    let (Some(time), Some(heap)) = (column("t_s"), column("heap_used")) else { return Ok(None) };
    let number = |fields: &[&str], column: usize| fields.get(column).and_then(|field| field.parse::<f64>().ok());
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let (Some(time), Some(heap)) = (number(&fields, time), number(&fields, heap)) else { continue };
        let row = (time.max(0.0) / 3.0).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a short recording")]
        rows.resize((row as usize + 1).max(rows.len()), Vec::new());
        if let Some(last) = rows.last_mut() {
            last.push(heap);
        }
    }
    let span = rows.len() as f64 * 3.0;
    let points = rows.iter().enumerate().map(|(index, values)| Point {
        time: NOW - span + (index + 1) as f64 * 3.0,
        value: (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
        low: values.iter().copied().reduce(f64::min),
        high: values.iter().copied().reduce(f64::max),
    });
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut picture = picture(&name, span);
    picture.panels.push(heap_panel(points.collect(), 3.0));
    Ok(Some(picture))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("name a folder for the pictures")?;
    let out = Path::new(&out);
    std::fs::create_dir_all(out)?;
    let mut pictures: Vec<(String, Picture)> =
        gallery().into_iter().map(|(name, picture)| (name.to_owned(), picture)).collect();
    if let Some(folder) = arguments.next() {
        for entry in std::fs::read_dir(folder)? {
            if let Some(picture) = from_csv(&entry?.path())? {
                pictures.push((format!("csv-{}", picture.title), picture));
            }
        }
    }
    for (name, picture) in pictures {
        for (suffix, theme, scale) in [
            ("", Theme::Light, 1.0),
            ("-2x", Theme::Light, 2.0),
            ("-dark", Theme::Dark, 1.0),
            ("-dark-2x", Theme::Dark, 2.0),
        ] {
            let picture = Picture { theme, scale, ..picture.clone() };
            File::create(out.join(format!("{name}{suffix}.png")))?.write_all(&png(&picture)?)?;
        }
        File::create(out.join(format!("{name}.svg")))?.write_all(svg(&picture)?.as_bytes())?;
        File::create(out.join(format!("{name}.txt")))?.write_all(term(&picture, Terminal::default())?.as_bytes())?;
    }
    Ok(())
}
