//! How much the patches of one tree may do: by a few lines that copy an object into itself it grows beyond all bounds. Pure.

use std::fmt;

use serde_json::Value;

/// Real trees have some hundreds; each counts for every object that it changes.
const MAX_OPERATIONS: usize = 10_000;
/// All that patches write, by text; a value counts for about what it takes in memory.
const MAX_WRITTEN: usize = 32 << 20;
const OF_A_VALUE: usize = 64;
/// No manifest is read that is deeper: what walks through it calls itself for each step.
const MAX_DEPTH: usize = 200;

/// What is left.
#[derive(Debug)]
pub(super) struct Budget {
    operations: usize,
    written: usize,
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMuch {
    Operations,
    Size,
    Depth,
}

impl Default for Budget {
    fn default() -> Self {
        Self { operations: MAX_OPERATIONS, written: MAX_WRITTEN }
    }
}

impl Budget {
    /// # Errors
    /// Too many operations.
    pub(super) fn operation(&mut self) -> Result<(), TooMuch> {
        self.operations = self.operations.checked_sub(1).ok_or(TooMuch::Operations)?;
        Ok(())
    }

    /// A value that comes to lie so deep.
    ///
    /// # Errors
    /// Too much is written, or too deep.
    pub(super) fn write(&mut self, value: &Value, depth: usize) -> Result<(), TooMuch> {
        if depth > MAX_DEPTH {
            return Err(TooMuch::Depth);
        }
        match value {
            Value::Array(list) => list.iter().try_for_each(|inner| self.write(inner, depth + 1))?,
            Value::Object(fields) => {
                for (name, inner) in fields {
                    self.take(name.len())?;
                    self.write(inner, depth + 1)?;
                }
            }
            Value::String(text) => self.take(text.len())?,
            _ => {}
        }
        self.take(OF_A_VALUE)
    }

    fn take(&mut self, size: usize) -> Result<(), TooMuch> {
        self.written = self.written.checked_sub(size).ok_or(TooMuch::Size)?;
        Ok(())
    }
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operations => write!(f, "patches have more than {MAX_OPERATIONS} operations"),
            Self::Size => write!(f, "patches write more than {} MiB", MAX_WRITTEN >> 20),
            Self::Depth => write!(f, "an object is nested more than {MAX_DEPTH} deep"),
        }
    }
}
