//! A value in a rule.

use serde::{Deserialize, Serialize};

/// A value as a rule writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// Text.
    Str(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Several values.
    List(Vec<Scalar>),
}

impl Scalar {
    /// From TOML.
    ///
    /// # Errors
    ///
    /// For dates and tables.
    pub fn from_toml(value: &toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::String(text) => Self::Str(text.clone()),
            toml::Value::Integer(number) => Self::Int(*number),
            toml::Value::Float(number) => Self::Float(*number),
            toml::Value::Boolean(truth) => Self::Bool(*truth),
            toml::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_toml).collect::<Result<_, _>>()?)
            }
            other => return Err(format!("a {} is no value of a fact", other.type_str())),
        })
    }

    /// The value without quotes.
    pub fn plain(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
            Self::List(items) => items.iter().map(Self::plain).collect::<Vec<_>>().join(" "),
        }
    }
}
