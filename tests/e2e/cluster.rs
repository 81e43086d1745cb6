//! Four instances behind nginx, with the configuration of `deploy/cluster/` and real memcached: each image
//! in one place, and the death of one instance seen by nobody.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Response, Server, request, sample};
use crate::memcached_server::Memcached;
use crate::web_servers::WebServer;

/// Images that are asked for.
const IMAGES: usize = 32;

/// Patient enough that a slow machine is not taken for a dead server.
const PATIENT: [&str; 4] = ["--memcached-budget-ms", "20000", "--memcached-wait-ms", "20000"];

struct Cluster {
    folder: tempfile::TempDir,
    memcached: Memcached,
    instances: Vec<Server>,
    front: WebServer,
}

impl Cluster {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..IMAGES {
            fs::copy(sample(RETINA), folder.path().join(format!("{number}.tif"))).unwrap();
        }
        let memcached = Memcached::start(&[]);
        let instances: Vec<Server> =
            (0..4).map(|_| start(folder.path(), &memcached.address)).collect();
        let addresses: Vec<(String, String)> = instances
            .iter()
            .enumerate()
            .map(|(at, instance)| {
                (
                    format!("server 127.0.0.1:900{} ", at + 1),
                    format!("server {} ", instance.address),
                )
            })
            .collect();
        let changes: Vec<(&str, &str)> =
            addresses.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        let front = WebServer::nginx("cluster/nginx.conf", &changes);
        Self { folder, memcached, instances, front }
    }

    fn get(&self, target: &str) -> Response {
        request(&self.front.address, "GET", target, &[], b"")
    }

    fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        self.instances.iter().map(|instance| instance.metric(name, labels)).sum()
    }

    fn encodes(&self) -> f64 {
        self.sum("tessera_stage_seconds_count", &["stage=\"encode\""])
    }
}

fn start(folder: &Path, memcached: &str) -> Server {
    let arguments = ["--server-trusted-proxies", "127.0.0.1", "--memcached-servers", memcached];
    Server::start(folder, &[&arguments[..], &PATIENT].concat())
}

/// An answer that has to be made.
fn export(image: usize, width_px: usize) -> String {
    format!("/iiif/3/{image}.tif/100,100,1000,1000/{width_px},/0/default.jpg")
}

#[test]
fn all_requests_of_an_image_go_to_one_instance_by_whatever_protocol() {
    let cluster = Cluster::start();
    for image in 0..IMAGES {
        for target in [
            format!("/iiif/3/{image}.tif/info.json"),
            format!("/iiif/2/{image}.tif/0,0,256,256/256,/0/default.jpg"),
            format!("/deepzoom/{image}.tif.dzi"),
            format!("/deepzoom/{image}.tif_files/10/0_0.jpg"),
            format!("/zoomify/{image}.tif/ImageProperties.xml"),
            format!("/zoomify/{image}.tif/TileGroup0/1-0-0.jpg"),
            format!("/iip?FIF={image}.tif&OBJ=Max-size"),
            format!("/fcgi-bin/iipsrv.fcgi?WID=100&FIF={image}.tif&CVT=jpeg"),
            format!("/iip?IIIF={image}.tif/full/50,/0/default.jpg"),
        ] {
            assert_eq!(cluster.get(&target).status, 200, "{target}");
        }
    }
    let open: Vec<f64> = cluster
        .instances
        .iter()
        .map(|instance| instance.metric("tessera_images_open", &[]))
        .collect();
    assert!(open.iter().all(|count| 0.0 < *count), "one has nothing to do: {open:?}");
    // An image is open in one place, and every name of it leads there.
    assert!((open.iter().sum::<f64>() - 32.0).abs() < 0.1, "{open:?}");
    for instance in cluster.instances {
        instance.finish(&[]);
    }
}

#[test]
fn the_death_of_an_instance_fails_no_request_and_what_it_made_is_not_made_again() {
    let mut cluster = Cluster::start();
    for image in 0..IMAGES {
        assert_eq!(cluster.get(&export(image, 200)).status, 200);
    }
    let since = Instant::now();
    while cluster.sum("tessera_memcached_stored_total", &[]) < 31.5 {
        assert!(since.elapsed() < PATIENCE, "the answers are not stored");
    }
    let (answered, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in 0..4 {
            let (cluster, answered, failed, stop) = (&cluster, &answered, &failed, &stop);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let image = (number * 7 + client) % IMAGES;
                    let answer = cluster.get(&export(image, 210 + number % 40));
                    let counter = if answer.status == 200 { answered } else { failed };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let after = |count| {
            let since = Instant::now();
            while answered.load(Ordering::Relaxed) + failed.load(Ordering::Relaxed) < count {
                assert!(since.elapsed() < PATIENCE, "no answers");
                thread::yield_now();
            }
        };
        after(100);
        cluster.instances[2].signal("KILL");
        after(answered.load(Ordering::Relaxed) + 200);
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(failed.into_inner(), 0, "of {}", answered.into_inner());

    let mut dead = cluster.instances.remove(2);
    dead.wait();
    let made = cluster.encodes();
    for image in 0..IMAGES {
        assert_eq!(cluster.get(&export(image, 200)).status, 200);
    }
    assert!((cluster.encodes() - made).abs() < 0.1, "answers were made again");
    let found = cluster.sum("tessera_requests_total", &["outcome=\"memcached\""]);
    assert!(0.0 < found, "nothing came from memcached");

    // A new one in its place, on another port as far as nginx knows, knows nothing and renders nothing.
    let fresh = start(cluster.folder.path(), &cluster.memcached.address);
    for image in 0..IMAGES {
        let answer = request(&fresh.address, "GET", &export(image, 200), &[], b"");
        assert_eq!(answer.status, 200);
    }
    let hits = fresh.metric("tessera_memcached_asked_total", &["outcome=\"hit\""]);
    assert!((hits - 32.0).abs() < 0.1, "{hits} of 32");
    for instance in cluster.instances {
        instance.finish(&[]);
    }
}
