//! CDEF: arithmetic on rows in reverse Polish notation, as rrdtool has it. Reading an expression and working it out are
//! pure functions; no text makes them panic, and neither runs for ever.

mod eval;

use super::words;

pub(crate) use eval::{Budget, Inputs, eval};

/// More tokens than a person writes; keeps a hostile line from costing memory.
const MOST_TOKENS: usize = 10_000;

/// Why an expression cannot be read or worked out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum RpnError {
    #[error("there is nothing between two commas, or nothing at all: write values, names and operators, as in a,2,*")]
    Empty,
    #[error(
        "`{0}` is no number, operator or name that was defined before: define it in a DEF, CDEF or VDEF further left"
    )]
    Unknown(String),
    #[error("{name} is an operator of rrdtool's that grapher does not have: {instead}")]
    NotSupported { name: String, instead: &'static str },
    #[error("it has {found} parts, and more than {MOST_TOKENS} are not worked out: split it into several CDEFs")]
    TooLong { found: usize },
    #[error("no DEF or CDEF is in it, so it has no rows: name one (a,POP,5 is 5 in each row of a)")]
    NoRows,
    #[error("{operator} needs more values than the {found} that stand before it")]
    Underflow { operator: String, found: usize },
    #[error("{left} values are left at its end instead of one: combine them, or take them away by POP")]
    Left { left: usize },
    #[error("AVG needs the number of values before it, 1 or more, not {found}")]
    Count { found: f64 },
    #[error("{operator} needs the name of a DEF or CDEF and a number of seconds before it, as in a,60,{operator}")]
    Trend { operator: &'static str },
    #[error(
        "the rows that it reads begin or end at such different times that none is left, or there are too many: {found}"
    )]
    Rows { found: i64 },
    #[error("it takes too long to work out: ask for a shorter time, a longer --step, or a shorter TREND")]
    TooMuch,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// A DEF or CDEF, by its number among the definitions.
    Rows(usize),
    /// A VDEF, by its number among the definitions.
    Single(usize),
}

/// An operator on the one value on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Unknown,
    Infinite,
    Sin,
    Cos,
    Atan,
    Log,
    Exp,
    Sqrt,
    Floor,
    Ceil,
    Abs,
}

/// An operator on the two values on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    AddNan,
    Pow,
    Atan2,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Min,
    Max,
    MinNan,
    MaxNan,
}

/// One part of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Rows(usize),
    Single(usize),
    Unary(Unary),
    Binary(Binary),
    If,
    Limit,
    /// The result of the row before; unknown in the first.
    Previous,
    /// The row of another sequence before the one that is read now.
    PreviousOf(usize),
    /// The seconds on top as a running mean of these rows; `true`: unknown rows are left out.
    Trend(usize, bool),
    Average,
    Duplicate,
    Exchange,
    Pop,
    /// The number of the row, from 1.
    Count,
    /// The end of the row, in unix seconds.
    Time,
    /// The present, in unix seconds.
    Now,
    /// The length of a row in seconds.
    StepWidth,
}

/// An expression that was read; it may still fail for want of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Program {
    text: String,
    tokens: Vec<Token>,
}

/// Reads an expression. `known` tells what a name stands for; operators come before names, names before numbers.
pub(crate) fn parse(text: &str, known: &dyn Fn(&str) -> Option<Known>) -> Result<Program, RpnError> {
    let found = text.split(',').count();
    if found > MOST_TOKENS {
        return Err(RpnError::TooLong { found });
    }
    let mut tokens: Vec<Token> = Vec::with_capacity(found);
    for word in text.split(',') {
        let token = match word {
            "" => return Err(RpnError::Empty),
            "TREND" => trend(&tokens, false)?,
            "TRENDNAN" => trend(&tokens, true)?,
            other => operator(other).map_or_else(|| operand(other, known), Ok)?,
        };
        tokens.push(token);
    }
    let has_rows = tokens.iter().any(|token| matches!(token, Token::Rows(_) | Token::PreviousOf(_)));
    if has_rows { Ok(Program { text: text.to_owned(), tokens }) } else { Err(RpnError::NoRows) }
}

impl Program {
    /// The sequences that it reads, each as often as it is named.
    pub(crate) fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        self.tokens.iter().filter_map(|token| match token {
            Token::Rows(index) | Token::PreviousOf(index) => Some(*index),
            _ => None,
        })
    }
}

fn trend(before: &[Token], skip_unknown: bool) -> Result<Token, RpnError> {
    match before {
        [.., Token::Rows(index), _] => Ok(Token::Trend(*index, skip_unknown)),
        _ => Err(RpnError::Trend { operator: if skip_unknown { "TRENDNAN" } else { "TREND" } }),
    }
}

fn operand(word: &str, known: &dyn Fn(&str) -> Option<Known>) -> Result<Token, RpnError> {
    let unknown = || RpnError::Unknown(word.to_owned());
    if let Some(name) = word.strip_prefix("PREV(").and_then(|rest| rest.strip_suffix(')')) {
        return match known(name) {
            Some(Known::Rows(index)) => Ok(Token::PreviousOf(index)),
            _ => Err(unknown()),
        };
    }
    match known(word) {
        Some(Known::Rows(index)) => return Ok(Token::Rows(index)),
        Some(Known::Single(index)) => return Ok(Token::Single(index)),
        None => {}
    }
    if let Some(number) = words::number(word) {
        return Ok(Token::Number(number));
    }
    Err(match not_supported(word) {
        Some(instead) => RpnError::NotSupported { name: word.to_owned(), instead },
        None => unknown(),
    })
}

fn operator(word: &str) -> Option<Token> {
    Some(match word {
        "+" => Token::Binary(Binary::Add),
        "-" => Token::Binary(Binary::Subtract),
        "*" => Token::Binary(Binary::Multiply),
        "/" => Token::Binary(Binary::Divide),
        "%" => Token::Binary(Binary::Remainder),
        "ADDNAN" => Token::Binary(Binary::AddNan),
        "POW" => Token::Binary(Binary::Pow),
        "ATAN2" => Token::Binary(Binary::Atan2),
        "LT" => Token::Binary(Binary::Less),
        "LE" => Token::Binary(Binary::LessOrEqual),
        "GT" => Token::Binary(Binary::Greater),
        "GE" => Token::Binary(Binary::GreaterOrEqual),
        "EQ" => Token::Binary(Binary::Equal),
        "NE" => Token::Binary(Binary::NotEqual),
        "MIN" => Token::Binary(Binary::Min),
        "MAX" => Token::Binary(Binary::Max),
        "MINNAN" => Token::Binary(Binary::MinNan),
        "MAXNAN" => Token::Binary(Binary::MaxNan),
        "UN" => Token::Unary(Unary::Unknown),
        "ISINF" => Token::Unary(Unary::Infinite),
        "SIN" => Token::Unary(Unary::Sin),
        "COS" => Token::Unary(Unary::Cos),
        "ATAN" => Token::Unary(Unary::Atan),
        "LOG" => Token::Unary(Unary::Log),
        "EXP" => Token::Unary(Unary::Exp),
        "SQRT" => Token::Unary(Unary::Sqrt),
        "FLOOR" => Token::Unary(Unary::Floor),
        "CEIL" => Token::Unary(Unary::Ceil),
        "ABS" => Token::Unary(Unary::Abs),
        "IF" => Token::If,
        "LIMIT" => Token::Limit,
        "PREV" => Token::Previous,
        "AVG" => Token::Average,
        "DUP" => Token::Duplicate,
        "EXC" => Token::Exchange,
        "POP" => Token::Pop,
        "COUNT" => Token::Count,
        "TIME" => Token::Time,
        "NOW" => Token::Now,
        "STEPWIDTH" => Token::StepWidth,
        "UNKN" => Token::Number(f64::NAN),
        "INF" => Token::Number(f64::INFINITY),
        "NEGINF" => Token::Number(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// What to do instead of the operators that rrdtool has and grapher has not.
fn not_supported(word: &str) -> Option<&'static str> {
    let forecast = "it foretells seasonal traffic; for a leak, `grapher verdict` says how it goes on";
    let stack = "write the values in the order in which they are needed, with DUP, EXC and POP";
    let several = "use MIN, MAX or AVG, or VDEF:x=name,95,PERCENT over the whole time";
    Some(match word {
        "PREDICT" | "PREDICTSIGMA" | "PREDICTPERC" => forecast,
        "DEPTH" | "COPY" | "INDEX" | "ROLL" | "OVER" | "REV" | "SORT" => stack,
        "MEDIAN" | "STDEV" | "PERCENT" | "SMIN" | "SMAX" => several,
        "DEG2RAD" | "RAD2DEG" => "write the factor: 0.017453292519943295,* or 57.29577951308232,*",
        "LTIME" | "NEWDAY" | "NEWWEEK" | "NEWMONTH" | "NEWYEAR" => "use TIME, which is UTC, with % and /",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<Known> {
        match name {
            "a" => Some(Known::Rows(0)),
            "v" => Some(Known::Single(1)),
            "UN" | "5" => Some(Known::Rows(2)),
            _ => None,
        }
    }

    fn said(text: &str) -> String {
        parse(text, &known).map_or_else(|error| error.to_string(), |program| format!("{:?}", program.tokens))
    }

    #[test]
    fn what_is_no_expression_is_refused_with_the_part_that_is_wrong() {
        for text in ["", ",", "a,", "a,,+"] {
            assert!(said(text).starts_with("there is nothing between two commas"), "{text}");
        }
        for (text, part) in [("a, 5,+", "` 5`"), ("b,1,+", "`b`"), ("a,0x10,+", "`0x10`"), ("a,PREV(v),+", "`PREV(v)`")]
        {
            assert!(said(text).starts_with(part), "{text}: {}", said(text));
        }
        assert!(said("1,2,+").starts_with("no DEF or CDEF is in it"));
        assert!(said("a,3,SORT").starts_with("SORT is an operator of rrdtool's"));
    }

    #[test]
    fn operators_come_before_names_and_names_before_numbers() {
        assert_eq!(said("a,UN"), "[Rows(0), Unary(Unknown)]");
        assert_eq!(said("a,5,v,IF"), "[Rows(0), Rows(2), Single(1), If]");
    }

    #[test]
    fn a_trend_needs_a_name_and_a_length() {
        assert_eq!(said("a,60,TREND"), "[Rows(0), Number(60.0), Trend(0, false)]");
        for text in ["a,TREND", "60,a,TREND", "a,1,+,60,TRENDNAN", "TREND"] {
            assert!(said(text).contains("needs the name of a DEF or CDEF and a number of seconds"), "{text}");
        }
    }

    #[test]
    fn an_endless_expression_is_refused_before_it_costs_memory() {
        let text = "a,".repeat(1_000_000) + "a";
        assert!(said(&text).starts_with("it has 1000001 parts"));
    }
}
