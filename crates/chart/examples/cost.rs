//! What a picture costs: processor time of the first and of later pictures, their size,
//! and the memory held after a thousand.
//!
//! `cargo run --release --example cost`

#![allow(clippy::cast_precision_loss, reason = "figures to read")]
#![allow(clippy::print_stdout, reason = "figures to read")]

use heapsoak_chart::{ChartError, Panel, Picture, Point, Series, Unit, png, svg};

fn picture(rows: u32) -> Picture {
    let value = |i: u32| 20e6 + f64::from(i % 37) * 1e6 + f64::from(i.wrapping_mul(2_654_435_761) % 1000) * 2e3;
    let point = |i| {
        let value = value(i);
        Point { time: f64::from(i + 1) * 3.0, value: Some(value), low: Some(value - 6e5), high: Some(value + 6e5) }
    };
    let mut panel = Panel::new("heap used", Unit::Bytes);
    panel.series.push(Series::area("heap_used", (0..rows).map(point).collect(), 3.0));
    let mut picture = Picture::new("Used heap size", 0.0, f64::from(rows) * 3.0);
    picture.panels.push(panel);
    picture
}

/// Of this thread; a busy machine does not count.
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns / 1e6)
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The mean of this many, and the size of one.
fn cost(times: u32, work: &dyn Fn() -> Result<usize, ChartError>) -> Result<String, ChartError> {
    let start = processor_ms();
    let mut size = 0;
    for _ in 0..times {
        size = work()?;
    }
    Ok(format!("{:.2} ms, {size} B", (processor_ms() - start) / f64::from(times)))
}

fn main() -> Result<(), ChartError> {
    let usual = picture(200);
    println!("200 rows, first PNG: {}", cost(1, &|| Ok(png(&usual)?.len()))?);
    println!("200 rows, each PNG: {}", cost(200, &|| Ok(png(&usual)?.len()))?);
    println!("200 rows, each SVG: {}", cost(400, &|| Ok(svg(&usual)?.len()))?);
    let many = picture(1_000_000);
    println!("1,000,000 rows, each PNG: {}", cost(15, &|| Ok(png(&many)?.len()))?);
    drop(many);
    for round in 1..=4 {
        for _ in 0..250 {
            png(&usual)?;
        }
        println!("after {} more pictures: {} KiB resident", round * 250, resident_kib().unwrap_or(0));
    }
    Ok(())
}
