//! State and threads. The cast, who holds whom (handles point one way, never back):
//!
//! | who | kind | how many | bounded by | holds |
//! | --- | --- | --- | --- | --- |
//! | [`Service`] | cheap to clone | one | | handles to all below |
//! | [`ImageRegistry`](registry::ImageRegistry) | `dashmap` behind a plain struct | one | `images.open_max`, LRU | name -> address of its Decoder, and the open image it published |
//! | [`Decoder`](decoder::Decoder) | supervised async actor | one an open image | `images.jobs_per_image_max` | the life of an image: opens, re-checks, closes, renders |
//! | [`DecodedTiles`](decoded_tiles::DecodedTiles) | sharded map | one | `cache.decoded_bytes_max` | decoded tiles that several answers share |
//! | [`CacheShard`](cache_shard::CacheShard) | supervised async actor over a shared map | `cache.shards` | bytes and jobs a shard | answers; who makes one, who waits for it |
//! | [`Pool`](pool::Pool) | threads, some for dear work | check, decode, watermark, encode, one a module | `pool.jobs_max`, deadline | scratch buffers |
//! | [`Module`](module::Module) | plain struct | one a module, and OpenJPEG | `modules.processes_max` | processes |
//! | [`Memcached`](memcached::Memcached) | plain struct, a task a server | one | queue, connections, budget | connections to servers |
//! | [`Admission`](admission::Admission) | plain struct | one | `pool.bytes_in_decode_max` | permits |

pub mod admission;
pub mod allocator;
pub mod by_lane;
pub mod cache_shard;
pub mod decoded_tiles;
pub mod decoder;
pub mod decoder_tools;
mod heavy_tiles;
pub mod interest;
pub mod isolated;
pub mod mail;
pub mod marks;
pub mod memcached;
pub mod module;
mod module_image;
pub mod modules;
pub mod observed;
pub mod open_image;
pub mod order;
pub mod policy;
pub mod pool;
pub mod purge;
mod purging;
pub mod registry;
pub mod render;
pub mod room;
mod sampling;
pub mod service;
pub mod shards;
pub mod start;
pub mod state;
pub mod stopwatch;
mod tile_source;
pub mod timeline;

pub use service::{Facts, Service, ServiceError};
