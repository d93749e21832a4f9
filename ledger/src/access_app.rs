//! Access apps (TR-30, RT-055).

use crate::check::{line, own_id, rejections};
use events::{
    decider::Decider,
    vocab::{
        event::{AccessAppCreated, Event},
        id::AppId,
        rail::RailId,
        stream::Fact,
    },
};

/// An access app.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum AccessApp {
    /// Not created.
    #[default]
    Absent,
    /// In use.
    Active(AccessAppCreated),
}

/// What is asked of an access app.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Create it.
    Create(Create),
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub app_id: AppId,
    /// Shown in the dashboard.
    pub name: String,
    /// The merchant's own id of it, unique for an owner and mode by a claim.
    pub external_app_id: String,
    /// The rail used when none is named.
    pub default_rail: RailId,
}

rejections! {
    /// Why an access app is refused.
    pub enum Rejection {
        /// No name.
        NameRequired = "name_required", "name: is required";
        /// No id of the merchant's own.
        ExternalAppIdRequired = "external_app_id_required", "external_app_id: is required";
        /// A field breaks a rule.
        InvalidField {
            /// Which.
            field: &'static str,
            /// What it must be.
            rule: &'static str,
        } = "validation_failed", "{field}: {rule}";
        /// The id is in use for another app.
        AlreadyExists = "already_exists", "the app exists with other content";
    }
}

impl Decider for AccessApp {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Create(create) = command;
        let created = AccessAppCreated {
            app_id: create.app_id,
            name: line(Some(&create.name), 200)
                .map_err(|_| Rejection::InvalidField { field: "name", rule: "is one line of at most 200 characters" })?
                .ok_or(Rejection::NameRequired)?,
            external_app_id: own_id(&create.external_app_id)
                .map_err(|rule| Rejection::InvalidField { field: "external_app_id", rule })?
                .ok_or(Rejection::ExternalAppIdRequired)?,
            default_rail: create.default_rail,
        };
        match state {
            AccessApp::Absent => Ok(vec![created.into()]),
            AccessApp::Active(existing) if *existing == created => Ok(vec![]),
            AccessApp::Active(_) => Err(Rejection::AlreadyExists),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match event {
            Event::AccessAppCreated(created) => AccessApp::Active(created.clone()),
            _ => state,
        }
    }
}
