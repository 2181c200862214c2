//! Working out a script: what each name stands for, and the texts that PRINT and GPRINT write.

use anyhow::Context;
use heapsoak_chart::Unit;
use heapsoak_rrd::Cf;

use super::data::{Scope, Stores};
use super::elements::{Number, NumberFormat, Of, Part, Script, What};
use super::format::Magnitude;
use super::rows::Rows;
use super::rpn::{self, Budget, Inputs};
use super::vdef::{self, Single};

/// What a name stands for, once worked out.
enum Value {
    /// With its unit, where a store says it.
    Rows(Rows, Option<Unit>),
    Single(Single),
}

/// All names of a script, worked out, and the texts.
pub(crate) struct Worked {
    values: Vec<Value>,
    /// Since when there are no data, when that is so of all stores.
    pub(crate) notice: Option<String>,
    /// What each PRINT writes, in their order.
    pub(crate) printed: Vec<String>,
    /// What each GPRINT writes, in their order.
    pub(crate) written: Vec<String>,
}

impl Worked {
    /// Reads the stores and works out all names as of `scope`; `base` is 1000 or 1024, for the prefixes.
    pub(crate) fn of(script: &Script, scope: Scope, base: f64) -> anyhow::Result<Self> {
        let mut stores = Stores::default();
        let mut budget = Budget::default();
        let mut worked = Self { values: Vec::new(), notice: None, printed: Vec::new(), written: Vec::new() };
        let mut notices = Vec::new();
        for definition in &script.definitions {
            let value = match &definition.what {
                What::Def(def) => {
                    let fetched = stores.fetch(def, scope).with_context(|| format!("`{}`", definition.word))?;
                    notices.push(fetched.notice);
                    Value::Rows(fetched.rows, Some(fetched.unit))
                }
                What::Cdef(program) => {
                    let now_s = whole_seconds(scope.now_us);
                    let inputs =
                        Inputs { rows: &|index| worked.rows(index), single: &|index| worked.single(index), now_s };
                    let rows = rpn::eval(program, &inputs, &mut budget);
                    Value::Rows(rows.with_context(|| format!("`{}`", definition.word))?, None)
                }
                What::Vdef { of, function } => {
                    let unknown = Single { value: f64::NAN, when_us: None };
                    Value::Single(worked.rows(*of).map_or(unknown, |rows| vdef::value(*function, rows)))
                }
            };
            worked.values.push(value);
        }
        let said: Option<Vec<String>> = notices.into_iter().collect();
        worked.notice = said.and_then(|notices| notices.into_iter().next());
        worked.write(script, base);
        Ok(worked)
    }

    pub(crate) fn rows(&self, index: usize) -> Option<&Rows> {
        match self.values.get(index) {
            Some(Value::Rows(rows, _)) => Some(rows),
            _ => None,
        }
    }

    pub(crate) fn single(&self, index: usize) -> Option<Single> {
        match self.values.get(index) {
            Some(Value::Single(single)) => Some(*single),
            _ => None,
        }
    }

    /// The unit that a store gives what this name stands for; none for a CDEF.
    pub(crate) fn unit(&self, index: usize) -> Option<&Unit> {
        match self.values.get(index) {
            Some(Value::Rows(_, unit)) => unit.as_ref(),
            _ => None,
        }
    }

    /// A prefix once found by `%s` holds for the `%S` behind it, in PRINT and GPRINT alike.
    fn write(&mut self, script: &Script, base: f64) {
        let mut magnitude = Magnitude::default();
        for part in &script.parts {
            match part {
                Part::Printed(number) => {
                    let text = self.text(number, base, &mut magnitude);
                    self.printed.push(text);
                }
                Part::Written(number) => {
                    let text = self.text(number, base, &mut magnitude);
                    self.written.push(text);
                }
                _ => {}
            }
        }
    }

    fn text(&self, number: &Number, base: f64, magnitude: &mut Magnitude) -> String {
        let single = match number.of {
            Of::Single(index) => self.single(index),
            Of::Rows(index) => self.rows(index).map(|rows| Single { value: as_one(rows, number.cf), when_us: None }),
            Of::Constant(value) => Some(Single { value, when_us: None }),
        };
        let single = single.unwrap_or(Single { value: f64::NAN, when_us: None });
        match &number.format {
            NumberFormat::Value(format) => format.write(single.value, base, magnitude),
            NumberFormat::Time(format) => format.write(single.when_us),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "unix seconds")]
fn whole_seconds(time_us: i64) -> f64 {
    time_us.div_euclid(1_000_000) as f64
}

/// All rows as one value, by the older form of PRINT that names a function; only finite values count.
#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn as_one(rows: &Rows, cf: Cf) -> f64 {
    let finite = || rows.values.iter().copied().filter(|value| value.is_finite());
    let found = match cf {
        Cf::Average => {
            let (sum, count) = finite().fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
            (count > 0).then(|| sum / count as f64)
        }
        Cf::Min => finite().reduce(f64::min),
        Cf::Max => finite().reduce(f64::max),
        Cf::Last => finite().next_back(),
    };
    found.unwrap_or(f64::NAN)
}
