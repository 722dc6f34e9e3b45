//! The embedded store over real folders and over a disk that fails.

mod bed;
mod commits;
mod crash;
mod failure;
mod gate;
mod lists;
mod measure;
mod postgres;
mod programme;
mod programme_crash;
mod programme_reads;
mod reads;
mod records;
mod time;
mod verify;
mod views;
