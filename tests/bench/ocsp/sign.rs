//! What the processors can sign: P-256 signatures of 200 octets for two seconds, in a thread for each of them. Prints the
//! number, the seconds, and the seconds of CPU time as JSON.
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Seconds of CPU time of this process, from its clock ticks, of which a second has a hundred.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn main() {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let (random, made) = (SystemRandom::new(), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (before, begun) = (cpu(), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while begun.elapsed() < Duration::from_secs(2) {
                    for _ in 0..100 {
                        key.sign(&random, &[7; 200]).expect("a signature");
                    }
                    made.fetch_add(100, Ordering::Relaxed);
                }
            });
        }
    });
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), cpu() - before);
    println!("{{\"signatures\": {}, \"wall\": {wall}, \"cpu\": {cpu}}}", made.load(Ordering::Relaxed));
}
