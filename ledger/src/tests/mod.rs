mod entitlement;
mod payment;
mod proof;
mod receipt;
mod samples;
mod session;
