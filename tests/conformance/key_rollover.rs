//! Two roots of one name in the year between them: what a server sends so that those who trust either are content.
use crate::foreign_notes::noted;
use crate::support::{Home, Said, free_address};
use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const OLD: &str = "old.pem";
const NEW: &str = "home/public/genfic-g2.pem";
const BOTH: &str = "both.pem";
const HOST: &str = "w.genfic.example";

/// `openssl s_server`, ended when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Sends the certificates of a file behind its own.
    fn sending(home: &Home, behind: &str) -> Self {
        let address = free_address();
        let mut child = Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-accept", &address, "-cert", "w.crt", "-key"])
            .args([&format!("{HOST}.key"), "-cert_chain", behind])
            .current_dir(home.directory())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address }
    }

    fn curl(&self, home: &Home, roots: &str) -> Said {
        let (to, url) = (format!("{HOST}:443:{}", self.address), format!("https://{HOST}/"));
        home.run(&[
            "curl",
            "-sS",
            "--max-time",
            "20",
            "--cacert",
            roots,
            "--connect-to",
            &to,
            "-o",
            "page",
            &url,
        ])
    }

    fn gnutls(&self, home: &Home, roots: &str) -> Said {
        let port = self.address.rsplit_once(':').unwrap().1;
        let name = format!("--verify-hostname={HOST}");
        home.shell(&format!("gnutls-cli --x509cafile={roots} {name} --port={port} 127.0.0.1 </dev/null"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn with_the_link_behind_the_chain_clients_with_either_root_are_content() {
    // G4
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::copy(home.path("home/public/genfic.pem"), home.path(OLD)).unwrap();
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.ca(&["renew-ca", "genfic-system"]).ok();
    home.ca(&["create-request", HOST]).ok();
    home.ca(&["sign", &format!("{HOST}.req"), "-p", "genfic-system", "--chain", "-o", "chain.pem"]).ok();
    home.shell(&format!(
        "openssl x509 -in chain.pem -out w.crt
         cat chain.pem home/public/genfic-g2.crossed.pem > linked.pem
         cat home/public/genfic-system.pem home/public/genfic-g2.crossed.pem > linked-2.pem
         cat home/public/genfic-system.chain.pem home/public/genfic-g2.crossed.pem > rooted.pem
         cat {OLD} {NEW} > {BOTH}"
    ))
    .ok();
    for behind in ["linked.pem", "linked-2.pem"] {
        let server = Server::sending(&home, behind);
        for roots in [OLD, NEW, BOTH] {
            server.curl(&home, roots).ok();
            let said = server.gnutls(&home, roots);
            assert!(said.out.contains("Status: The certificate is trusted"), "{roots}: {}", said.all());
        }
    }
    let server = Server::sending(&home, "rooted.pem");
    server.curl(&home, NEW).ok();
    noted("openssl-root-in-between", server.curl(&home, OLD).status != 0);
}
