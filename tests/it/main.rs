//! The one integration binary: every test that needs more than one module, over real HTTP, real databases and real processes.

mod house;
