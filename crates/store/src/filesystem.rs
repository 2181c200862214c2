//! Whether a file lies where SQLite's write-ahead log cannot work: it needs memory that all who have the file open share,
//! and locks that hold. On a filesystem that other machines see, or that a program of its own provides, neither is sure;
//! on virtiofs a store was damaged within a minute.

use std::path::Path;

use nix::sys::statfs::statfs;

use crate::error::StoreError;

/// Their magic numbers, as `statfs(2)` has them.
const SHARED: [(u32, &str); 15] = [
    (0x0000_6969, "nfs"),
    (0x0000_517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "fuse or virtiofs"),
    (0x00c3_6400, "ceph"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x0bd0_0bd0, "lustre"),
    (0x0116_1970, "gfs2"),
    (0x7461_636f, "ocfs2"),
    (0x4750_4653, "gpfs"),
    (0x786f_4256, "vboxsf"),
];

/// Refuses to write a store there.
pub(crate) fn check(path: &Path) -> Result<(), StoreError> {
    // A file that is not there yet will lie where its directory does.
    let place = if path.exists() { path } else { path.parent().unwrap_or(path) };
    // What cannot be asked is refused, with its reason, by the opening that follows.
    let Ok(found) = statfs(place) else { return Ok(()) };
    match name_of(found.filesystem_type().0) {
        None => Ok(()),
        Some(filesystem) => Err(StoreError::Filesystem { path: path.to_owned(), filesystem }),
    }
}

/// Of the 32 bits that count: on some machines the number comes sign-extended.
fn name_of(magic: impl TryInto<i128>) -> Option<&'static str> {
    let magic = magic.try_into().ok()? & 0xffff_ffff;
    SHARED.iter().find(|(known, _)| i128::from(*known) == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_filesystem_is_told_from_a_disk_also_when_its_number_comes_with_a_sign() {
        const EXT4: i64 = 0xef53;
        assert_eq!(name_of(EXT4), None);
        assert_eq!(name_of(0x6969_i64), Some("nfs"));
        assert_eq!(name_of(i64::from(0xff53_4d42_u32.cast_signed())), Some("cifs"));
    }

    #[test]
    fn the_disk_of_this_machine_is_good() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(&folder.path().join("not-there-yet.db")).is_ok());
    }
}
