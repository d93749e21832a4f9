//! The problems that routes document, by kind of route.

use super::problem::{Code, Problem};
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, PartialSchema as _,
    openapi::{Content, Ref, RefOr, Response, response::ResponseBuilder},
};

/// What refers to the schema of a problem.
pub const PROBLEM: &str = "#/components/schemas/Problem";

/// A read that needs a credential.
pub struct Read;
/// A read of one thing, which may not exist.
pub struct ReadOne;
/// A read of one thing for anyone.
pub struct Public;
/// A read that documents its 503 itself.
pub struct Unexpected;
/// A list for anyone.
pub struct List;
/// A witness's signature.
pub struct Cosign;
/// A read for anyone that is always there.
pub struct Anyone;
/// A look at what is not released yet.
pub struct Preview;
/// A question to the x402 facilitator.
pub struct Facilitator;
/// A resource that is paid for by x402.
pub struct X402Resource;
/// A question asked by POST.
pub struct Check;
/// A write.
pub struct Write;

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    statuses.iter().map(|status| (status.to_string(), RefOr::T(problem()))).collect()
}

/// A problem.
pub fn problem() -> Response {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new().content("application/problem+json", Content::new(Some(schema))).build()
}

/// Every code with its status and meaning, once for the whole document.
pub fn all_codes() -> String {
    let line = |code: &Code| format!("\n- {} `{}`: {}", code.status().as_u16(), code.as_str(), code.title());
    let mut codes = Code::ALL.to_vec();
    codes.sort_by_key(|code| code.status().as_u16());
    format!("Stable code to match on. There may be more of them one day.\n{}", codes.iter().map(line).collect::<String>())
}

macro_rules! answers {
    ($( $kind:ident = [$( $status:literal ),*] ),* $(,)?) => {$(
        impl IntoResponses for $kind {
            fn responses() -> BTreeMap<String, RefOr<Response>> { problems(&[$( $status ),*]) }
        }
    )*};
}

answers! {
    Read = [401, 403, 422, 500, 503],
    ReadOne = [401, 403, 404, 422, 500, 503],
    Public = [404, 422, 500, 503],
    List = [422, 500, 503],
    Cosign = [400, 403, 404, 413, 415, 422, 500, 503],
    Anyone = [500, 503],
    Unexpected = [500],
    Preview = [401, 403, 404, 409, 422, 500, 503],
    Facilitator = [400, 408, 413, 415, 422, 500, 503],
    X402Resource = [404, 408, 500, 503],
    Check = [400, 401, 403, 404, 413, 415, 422, 500, 503],
    Write = [400, 401, 403, 404, 409, 410, 413, 415, 422, 500, 503],
}

/// The schemas that the answers above refer to.
pub fn schemas() -> [(String, RefOr<utoipa::openapi::Schema>); 2] {
    [("Problem".to_owned(), Problem::schema()), ("FieldError".to_owned(), super::problem::FieldError::schema())]
}
