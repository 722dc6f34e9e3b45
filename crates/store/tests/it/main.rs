//! The embedded store over real folders and over a disk that fails.

mod bed;
mod commits;
mod crash;
mod failure;
mod gate;
mod programme;
mod programme_crash;
mod reads;
mod records;
mod time;
mod verify;
mod views;
