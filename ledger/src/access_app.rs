//! Access apps (TR-30, RT-055).

use crate::check::{filled, rejections};
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
            name: filled(&create.name).ok_or(Rejection::NameRequired)?,
            external_app_id: filled(&create.external_app_id).ok_or(Rejection::ExternalAppIdRequired)?,
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
