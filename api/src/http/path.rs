//! Ids in paths: what is no id is the id of nothing.

use super::problem::{Code, Problem};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use std::str::FromStr;

/// One path parameter, as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::of(Code::NotFound))?;
        Ok(Segment(text))
    }
}

/// Two path parameters, in their order, as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segments(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((first, second)) =
            Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| Problem::of(Code::NotFound))?;
        Ok(Segments(first, second))
    }
}

impl Segment {
    /// The id, or the problem that there is no such thing.
    pub fn id<T: FromStr>(&self, missing: Code) -> Result<T, Problem> {
        self.0.parse().map_err(|_| Problem::of(missing))
    }
}
