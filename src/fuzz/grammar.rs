//! Inputs that get past the first character: texts of tokens, and values of the shapes that the code asks for.

use bolero::{Driver, ValueGenerator};
use serde_json::{Map, Value, json};

/// Texts of these tokens, with any characters in between.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens(pub(super) &'static [&'static str]);

/// Values of these keys and texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values {
    pub(super) keys: &'static [&'static str],
    pub(super) texts: &'static [&'static str],
}

/// Objects of such values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objects(pub(super) Values);

/// How many tokens a text has at most.
const LONGEST: usize = 60;

/// How many members an object or array has at most.
const WIDEST: usize = 5;

/// How deep they lie in one another.
const DEEPEST: usize = 3;

/// A number below `count`; the simplest is 0.
pub(super) fn below(driver: &mut impl Driver, count: usize) -> Option<usize> {
    driver.gen_variant(count, 0)
}

/// One of `all`; the simplest is the first.
pub(super) fn one<T: Copy>(driver: &mut impl Driver, all: &[T]) -> Option<T> {
    Some(all[below(driver, all.len())?])
}

/// Up to `most` of what `make` makes.
pub(super) fn some<D: Driver, T>(
    driver: &mut D,
    most: usize,
    mut make: impl FnMut(&mut D) -> Option<T>,
) -> Option<Vec<T>> {
    let count = below(driver, most + 1)?;
    (0..count).map(|_| make(driver)).collect()
}

impl ValueGenerator for Tokens {
    type Output = String;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<String> {
        let parts = some(driver, LONGEST, |driver| match below(driver, 8)? {
            0 => driver.produce::<char>().map(String::from),
            1 => {
                let code = u8::try_from(below(driver, 0x80)?).ok()?;
                Some(char::from(code).into())
            }
            _ => one(driver, self.0).map(str::to_owned),
        })?;
        Some(parts.concat())
    }
}

impl Values {
    fn text(self, driver: &mut impl Driver) -> Option<String> {
        Some(match below(driver, 8)? {
            0 => String::new(),
            1 => some(driver, 4, Driver::produce::<char>)?
                .into_iter()
                .collect(),
            2 => some(driver, 3, |driver| one(driver, self.texts))?.concat(),
            _ => one(driver, self.texts)?.to_owned(),
        })
    }

    fn key(self, driver: &mut impl Driver) -> Option<String> {
        match below(driver, 8)? {
            0 => self.text(driver),
            _ => one(driver, self.keys).map(str::to_owned),
        }
    }

    fn value(self, driver: &mut impl Driver, depth: usize) -> Option<Value> {
        let kinds = if depth < DEEPEST { 10 } else { 6 };
        Some(match below(driver, kinds)? {
            0 => Value::Null,
            1 => (below(driver, 2)? == 1).into(),
            2 => number(driver)?,
            3..=5 => self.text(driver)?.into(),
            6 | 7 => some(driver, WIDEST, |driver| self.value(driver, depth + 1))?.into(),
            _ => self.object(driver, depth + 1)?.into(),
        })
    }

    pub(super) fn object(
        self,
        driver: &mut impl Driver,
        depth: usize,
    ) -> Option<Map<String, Value>> {
        let members = some(driver, WIDEST, |driver| {
            Some((self.key(driver)?, self.value(driver, depth)?))
        })?;
        Some(members.into_iter().collect())
    }
}

impl ValueGenerator for Values {
    type Output = Value;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Value> {
        self.value(driver, 0)
    }
}

impl ValueGenerator for Objects {
    type Output = Map<String, Value>;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Map<String, Value>> {
        self.0.object(driver, 0)
    }
}

fn number(driver: &mut impl Driver) -> Option<Value> {
    Some(match below(driver, 10)? {
        0 => json!(0),
        1 => json!(-0.0),
        2 => json!(2.5),
        3 => json!(-1),
        4 => json!(3000),
        5 => json!(9_007_199_254_740_993_i64),
        6 => json!(1e300),
        7 => json!(u64::MAX),
        8 => json!(5e-324),
        _ => driver.produce::<i32>()?.into(),
    })
}
