//! Reading a store, beside its writer or long after.

use std::path::Path;

use heapsoak_rrd::{Cf, Time};

use crate::error::StoreError;
use crate::model::{Damage, Event, Info, LastUpdate, Run, Table};

/// One reader of a store.
#[derive(Debug)]
pub struct Reader {}

#[expect(clippy::todo, reason = "signatures first")]
#[allow(unused_variables, missing_docs, clippy::missing_errors_doc)]
impl Reader {
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        todo!()
    }
    pub fn info(&self) -> Result<Info, StoreError> {
        todo!()
    }
    pub fn fetch(&self, cf: Cf, start: Time, end: Time, resolution_us: u64) -> Result<Table, StoreError> {
        todo!()
    }
    pub fn fetch_sources(
        &self,
        names: &[&str],
        cf: Cf,
        start: Time,
        end: Time,
        resolution_us: u64,
    ) -> Result<Table, StoreError> {
        todo!()
    }
    pub fn last(&self) -> Result<Time, StoreError> {
        todo!()
    }
    pub fn first(&self, archive: usize) -> Result<Time, StoreError> {
        todo!()
    }
    pub fn lastupdate(&self) -> Result<LastUpdate, StoreError> {
        todo!()
    }
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        todo!()
    }
    pub fn events(&self, start: Time, end: Time) -> Result<Vec<Event>, StoreError> {
        todo!()
    }
    pub fn change_marker(&self) -> Result<u64, StoreError> {
        todo!()
    }
    pub fn check_path(&self) -> Result<(), StoreError> {
        todo!()
    }
    pub fn verify(&self) -> Result<Vec<Damage>, StoreError> {
        todo!()
    }
}
