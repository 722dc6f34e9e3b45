//! The embedded store over real folders and over a disk that fails.

mod bed;
mod commits;
mod crash;
mod failure;
mod gate;
mod reads;
mod time;
mod verify;
mod views;
