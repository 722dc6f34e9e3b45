use std::io::ErrorKind;

use super::*;

fn created(disk: &FaultyDisk, name: &str) -> Arc<dyn StorageFile> {
    disk.create(name).expect("the disk is good")
}

#[test]
fn what_is_synced_survives_every_crash() {
    for seed in 0..200 {
        let disk = FaultyDisk::new(0);
        let file = created(&disk, "a");
        file.write_all_at(&[1; 2000], 0).expect("the disk is good");
        file.sync_data().expect("the disk is good");
        disk.sync_folder().expect("the disk is good");
        disk.crash(seed);
        assert_eq!(disk.bytes("a"), [1; 2000]);
    }
}

#[test]
fn what_is_not_synced_survives_in_every_way() {
    let mut found = BTreeSet::new();
    for seed in 0..500 {
        let disk = FaultyDisk::new(0);
        let file = created(&disk, "a");
        disk.sync_folder().expect("the disk is good");
        file.write_all_at(&[1; 1300], 0).expect("the disk is good");
        disk.crash(seed);
        let bytes = disk.bytes("a");
        let sectors: Vec<bool> = bytes.chunks(512).map(|sector| sector[0] == 1).collect();
        for sector in bytes.chunks(512) {
            assert!(
                sector.iter().all(|byte| *byte == sector[0]),
                "half a sector"
            );
        }
        found.insert((bytes.len() == 1300, sectors));
    }
    // All or nothing, prefixes, holes; and files of other lengths.
    for whole in 0..8u8 {
        let sectors: Vec<bool> = (0..3).map(|bit| whole & (1 << bit) != 0).collect();
        assert!(found.contains(&(true, sectors.clone())), "{sectors:?}");
    }
    assert!(found.contains(&(false, vec![])));
    assert!(found.contains(&(false, vec![true, true])));
}

#[test]
fn names_need_a_folder_sync() {
    let mut lost = 0;
    for seed in 0..100 {
        let disk = FaultyDisk::new(0);
        created(&disk, "old");
        disk.sync_folder().expect("the disk is good");
        created(&disk, "new").sync_data().expect("the disk is good");
        disk.remove("old").expect("it is there");
        assert_eq!(disk.names(), ["new"]);
        disk.crash(seed);
        lost += usize::from(disk.names() == ["old"]);
    }
    assert!((1..100).contains(&lost), "{lost}");
}

#[test]
fn a_second_sync_does_not_repair_a_failed_one() {
    let mut lost = 0;
    for seed in 0..100 {
        let disk = FaultyDisk::new(seed);
        let file = created(&disk, "a");
        disk.sync_folder().expect("the disk is good");
        file.write_all_at(&[1; 512], 0).expect("the disk is good");
        disk.fail_next(Fault::Sync);
        file.sync_data().expect_err("armed");
        file.sync_data().expect("the fault is over");
        assert_eq!(disk.bytes("a"), [1; 512]);
        let rewritten = disk.duplicate();
        disk.crash(seed);
        lost += usize::from(disk.bytes("a") == [0; 512]);

        let file = rewritten.open("a").expect("it is there");
        file.write_all_at(&[1; 512], 0).expect("the disk is good");
        file.sync_data().expect("the disk is good");
        rewritten.crash(seed);
        assert_eq!(rewritten.bytes("a"), [1; 512]);
    }
    assert!((1..100).contains(&lost), "{lost}");
}

#[test]
fn faults_strike_when_and_where_they_are_told() {
    let disk = FaultyDisk::new(0);
    let file = created(&disk, "a");
    disk.fail_after(2, Fault::DiskFull);
    file.write_all_at(&[1], 0).expect("the first passes");
    file.sync_data().expect("the second passes");
    file.sync_data().expect("a full disk can sync");
    let error = file.write_all_at(&[1; 10], 1).expect_err("armed");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(file.len().expect("it is open") <= 11);
    file.write_all_at(&[1; 10], 1).expect("it strikes once");
    assert_eq!((disk.writes(), disk.syncs(), disk.operations()), (3, 2, 6));
}

#[test]
fn without_power_nothing_works_and_old_files_stay_dead() {
    let disk = FaultyDisk::new(0);
    let file = created(&disk, "a");
    disk.sync_folder().expect("the disk is good");
    disk.fail_next(Fault::Power);
    file.sync_data().expect_err("armed");
    file.len().expect_err("power is off");
    disk.list().expect_err("power is off");
    disk.create("b").err().expect("power is off");
    disk.crash(1);
    assert_eq!(disk.names(), ["a"]);
    file.len().expect_err("opened before the crash");
    disk.open("a").expect("it is there");
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    let run = || {
        let disk = FaultyDisk::new(7);
        let file = created(&disk, "a");
        disk.fail_next(Fault::Write(ErrorKind::Other));
        file.write_all_at(&[1; 9000], 0).expect_err("armed");
        disk.sync_folder().expect("the disk is good");
        disk.crash(8);
        disk.bytes("a")
    };
    assert_eq!(run(), run());
}
