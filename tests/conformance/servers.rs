//! What the tests of nginx, Apache and HAProxy have in common: two servers, one of them with a revoked certificate, that
//! staple answers and send their chain; the first also demands certificates of its clients and reads CRLs.
use crate::hierarchy::{ROOT, ROOT_CRL, SYSTEM, SYSTEM_CHAIN, SYSTEM_CRL};
use crate::support::{Daemon, Home, Said, free_address};
use std::fs::{self, File, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const USERS: &str = "home/public/genfic-user.pem";
/// Host names of the two servers, which are those of their certificates and of the files with their chains.
pub(crate) const GOOD: &str = "good.genfic.example";
pub(crate) const REVOKED: &str = "revoked.genfic.example";
/// All CRLs in one file.
const CRLS: &str = "server/all.crl.pem";
/// Nobody's user and group numbers.
const NOBODY: &str = "65534";

/// A home with its daemon, and `server/`, which is all that the servers read and write.
pub(crate) struct Site {
    pub(crate) daemon: Daemon,
    pub(crate) home: Home,
    good: String,
    revoked: String,
}

/// A server in the foreground, ended when dropped.
pub(crate) struct Server {
    child: Child,
    addresses: [String; 2],
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // a server may have handed its sockets to a process of its own, which ends a little later
        let begun = Instant::now();
        while self.addresses.iter().any(|at| TcpStream::connect(at.as_str()).is_ok())
            && begun.elapsed() < Duration::from_secs(10)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Site {
    /// The servers' keys are of this type.
    pub(crate) fn with_key(key: &str) -> Self {
        let listen = free_address();
        let home = Home::with_hierarchy(&format!("http://{listen}"));
        fs::create_dir(home.path("server")).unwrap();
        for host in [GOOD, REVOKED] {
            home.ca(&["create-request", host, "--key", key, "--dir", "server"]).ok();
            let (request, chain) = (format!("server/{host}.req"), format!("server/{host}.chain.pem"));
            home.ca(&["sign", &request, "-p", "genfic-system", "--chain", "-o", &chain]).ok();
        }
        for user in ["amber", "basil"] {
            home.ca(&["create-request", user, "--sign", "-p", "genfic-user"]).ok();
        }
        home.ca(&["revoke", REVOKED, "--reason", "key-compromise"]).ok();
        home.ca(&["revoke", "basil", "--reason", "affiliation-changed"]).ok();
        let join = |files: &[&str], to: &str| {
            let texts = files.iter().map(|file| fs::read_to_string(home.path(file)).unwrap());
            fs::write(home.path(to), texts.collect::<String>()).unwrap();
        };
        join(&[ROOT_CRL, SYSTEM_CRL, "home/public/genfic-user.crl.pem"], CRLS);
        join(&[ROOT], "server/root.pem");
        join(&[USERS, ROOT], "server/users.pem");
        for user in ["amber", "basil"] {
            join(&[&format!("{user}.crt"), USERS], &format!("{user}.chain.pem"));
        }
        let daemon = home.daemon(&listen);
        Self { daemon, home, good: free_address(), revoked: free_address() }
    }

    /// Saves a configuration: `DIR` is the directory of the server, `AT_GOOD` and `AT_REVOKED` the addresses of the two.
    pub(crate) fn configure(&self, file: &str, text: &str) {
        let directory = self.home.path("server").display().to_string();
        let text = text.replace("DIR", &directory).replace("AT_GOOD", &self.good);
        fs::write(self.home.path(&format!("server/{file}")), text.replace("AT_REVOKED", &self.revoked))
            .unwrap();
    }

    /// The address of the first server.
    pub(crate) fn good(&self) -> &str {
        &self.good
    }

    /// The address of the second server.
    pub(crate) fn revoked(&self) -> &str {
        &self.revoked
    }

    /// The answer for one of the servers' certificates, as a file to staple, once it says this.
    #[track_caller]
    pub(crate) fn fetch_answer(&self, host: &str, status: &str, to: &str) {
        let (file, url) = (format!("server/{host}.chain.pem"), self.daemon.url.as_str());
        let begin = ["openssl", "ocsp", "-no_nonce", "-issuer", SYSTEM, "-CAfile", SYSTEM_CHAIN, "-url", url];
        let begun = Instant::now();
        loop {
            let said = self.home.run(&[&begin[..], &["-cert", &file, "-respout", to]].concat()).ok();
            assert!(said.err.contains("Response verify OK"), "{}", said.all());
            if said.out.contains(&format!("{file}: {status}")) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", said.all());
        }
    }

    /// Starts a program that stays in the foreground, as nobody where that is possible, and waits until it listens.
    #[track_caller]
    pub(crate) fn serve(&self, words: &[&str]) -> Server {
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let mut all = Vec::new();
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        if rustix::process::geteuid().is_root() {
            fs::set_permissions(self.home.directory(), Permissions::from_mode(0o711)).unwrap();
            self.home.run(&["chown", "-R", &format!("{NOBODY}:{NOBODY}"), "server"]).ok();
            all.extend(["setpriv", &user, &group, "--clear-groups"]);
        }
        all.extend(words);
        let log = self.home.path("server.log");
        let output = File::create(&log).unwrap();
        let mut child = Command::new(all[0])
            .args(&all[1..])
            .current_dir(self.home.path("server"))
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while [&self.good, &self.revoked].iter().any(|at| TcpStream::connect(at.as_str()).is_err()) {
            let ended = child.try_wait().unwrap();
            let said = fs::read_to_string(&log).unwrap();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(30), "{ended:?}: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Server { child, addresses: [self.good.clone(), self.revoked.clone()] }
    }

    /// What `curl` gets from a server, with further options.
    pub(crate) fn curl(&self, host: &str, options: &[&str]) -> Said {
        let at = if host == GOOD { &self.good } else { &self.revoked };
        let (to, url) = (format!("{host}:443:{at}"), format!("https://{host}/"));
        let begin = ["curl", "-sS", "--max-time", "20", "--cacert", ROOT, "--connect-to", &to];
        self.home.run(&[&begin[..], &["-w", "\n%{http_code}", &url], options].concat())
    }

    /// The same as one of the users, believing nothing but a stapled answer, and each CA's CRL.
    pub(crate) fn curl_as(&self, user: &str) -> Said {
        let (cert, key) = (format!("{user}.chain.pem"), format!("{user}.key"));
        let both = ["--cert-status", "--crlfile", CRLS];
        self.curl(GOOD, &[&both[..], &["--cert", &cert, "--key", &key]].concat())
    }

    /// Everything that holds whatever the server.
    pub(crate) fn is_judged(&self) {
        let said = self.curl_as("amber").ok();
        assert!(said.out.starts_with("hello") && said.out.ends_with("\n200"), "{}", said.all());
        self.curl(REVOKED, &[]).ok();
        let said = self.curl(REVOKED, &["--cert-status"]);
        assert!(said.status != 0 && said.err.contains("keyCompromise"), "{}", said.all());
        let said = self.curl(REVOKED, &["--crlfile", CRLS]);
        assert!(said.status != 0 && said.err.contains("revoked"), "{}", said.all());
        self.openssl();
        self.gnutls();
    }

    fn openssl(&self) {
        for (host, at, status) in [(GOOD, &self.good, "good"), (REVOKED, &self.revoked, "revoked")] {
            let words =
                ["timeout", "20", "openssl", "s_client", "-connect", at, "-servername", host, "-status"];
            let user = ["-cert", "amber.chain.pem", "-key", "amber.key", "-cert_chain", "amber.chain.pem"];
            let verify = ["-CAfile", ROOT, "-verify_hostname", host, "-verify_return_error", "-showcerts"];
            let said = self.home.run(&[&words[..], &user, &verify].concat());
            assert!(said.out.contains("OCSP Response Status: successful"), "{}", said.all());
            assert!(said.out.contains(&format!("Cert Status: {status}")), "{}", said.all());
            assert!(said.out.contains("Verify return code: 0 (ok)"), "{}", said.all());
            // P15: the certificate and its issuer, and the root, which the client has, left out; that of the responder is shown too
            let (_, sent) = said.out.split_once("Certificate chain").unwrap();
            assert_eq!(sent.matches(" s:").count(), 2, "{}", said.all());
        }
    }

    fn gnutls(&self) {
        for (host, at, status) in [
            (GOOD, &self.good, "- Status: The certificate is trusted."),
            (REVOKED, &self.revoked, "The certificate chain is revoked."),
        ] {
            let (address, port) = at.split_once(':').unwrap();
            let cafile = format!("--x509cafile={ROOT}");
            let words = ["timeout", "20", "gnutls-cli", "--port", port, "--sni-hostname", host, &cafile];
            let user = ["--x509certfile=amber.chain.pem", "--x509keyfile=amber.key"];
            let said = self.home.run(&[&words[..], &user, &["--verify-hostname", host, address]].concat());
            assert!(said.all().contains(status), "{}", said.all());
            assert_eq!(said.status == 0, host == GOOD, "{}", said.all());
        }
    }
}
