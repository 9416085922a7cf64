//! The log of this process. There can be one for all tests only, because what is logged is decided once for every thread; a
//! test looks for lines that only it can have caused.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

/// Lines of JSON, from all tests.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

/// Collects from the first call on.
pub(crate) fn collected() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().json().with_env_filter("portcullis=debug");
        tracing::subscriber::set_global_default(lines.with_writer(move || writer.clone()).finish()).unwrap();
        log
    })
    .clone()
}

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
