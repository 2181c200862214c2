//! Writing a store: the one writer.

use std::path::Path;
use std::time::Duration;

use heapsoak_rrd::{Archive, Reading, Schema, Step, Time, UpdateError};

use crate::error::StoreError;
use crate::model::{Existing, NewRun, NewSource, RunId};

/// The one writer of a store.
#[derive(Debug)]
pub struct Writer {}

#[expect(clippy::todo, reason = "signatures first")]
#[allow(unused_variables, missing_docs, clippy::missing_errors_doc)]
impl Writer {
    pub fn create(
        path: &Path,
        step: Step,
        sources: &[NewSource],
        archives: &[Archive],
        start: Time,
        existing: Existing,
    ) -> Result<Writer, StoreError> {
        todo!()
    }
    pub fn open(path: &Path) -> Result<Writer, StoreError> {
        todo!()
    }
    pub fn path(&self) -> &Path {
        todo!()
    }
    pub fn schema(&self) -> &Schema {
        todo!()
    }
    pub fn last(&self) -> Time {
        todo!()
    }
    pub fn sources(&self) -> &[NewSource] {
        todo!()
    }
    pub fn add_sources(&mut self, sources: &[NewSource]) -> Result<(), StoreError> {
        todo!()
    }
    pub fn update(&mut self, time: Time, readings: &[Reading]) -> Result<(), UpdateError> {
        todo!()
    }
    pub fn begin_run(&mut self, run: NewRun) -> RunId {
        todo!()
    }
    pub fn end_run(&mut self, time: Time, reason: &str, exit_status: i32) -> Result<(), StoreError> {
        todo!()
    }
    pub fn event(&mut self, time: Time, kind: &str, detail: &str) -> Result<(), StoreError> {
        todo!()
    }
    pub fn commit(&mut self) -> Result<(), StoreError> {
        todo!()
    }
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        todo!()
    }
    pub fn check_path(&self) -> Result<(), StoreError> {
        todo!()
    }
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), StoreError> {
        todo!()
    }
    pub fn close(self) -> Result<(), StoreError> {
        todo!()
    }
}
