//! What can be wrong with a picture that was asked for.

/// Why no picture could be made. Data never causes an error: what is not a
/// finite number is drawn as unknown.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChartError {
    /// The picture would be too small to hold anything, or too large for memory.
    #[error("{what} {found} is outside {least} to {most}: ask for a size within these limits")]
    Size {
        /// Which measure: `width`, `height`, `scale`, `font size` or `pixels`.
        what: &'static str,
        /// What was asked for, in the measure's own unit.
        found: f64,
        /// The smallest that can be drawn.
        least: f64,
        /// The largest that can be drawn.
        most: f64,
    },
    /// The picture's time span is empty or not a span of finite times.
    #[error("a picture from {from} to {to} shows no time: give a start before the end")]
    Span {
        /// The start asked for, in unix seconds.
        from: f64,
        /// The end asked for, in unix seconds.
        to: f64,
    },
    /// A text is not a colour.
    #[error("`{text}` is not a colour: write it as #rrggbb or #rrggbbaa")]
    Color {
        /// The text as it was handed in.
        text: String,
    },
    /// The drawing library or the encoder failed: memory, or a bug of ours.
    #[error("the picture could not be {doing}: {cause}; try a smaller size")]
    Drawing {
        /// `drawn` or `encoded`.
        doing: &'static str,
        /// What the library said.
        cause: String,
    },
}
