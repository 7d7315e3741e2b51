//! Apache's mod_ssl fetches what it staples before it answers its first client.
use crate::servers::{GOOD, Site};

const CONFIG: &str = r#"
ServerName good.genfic.example
ServerRoot DIR
PidFile DIR/apache.pid
ErrorLog DIR/apache.log
LogLevel warn
Mutex sem
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
DocumentRoot DIR/documents
DirectoryIndex hello
Listen AT_GOOD
Listen AT_REVOKED
SSLStaplingCache shmcb:DIR/staples(65536)
SSLUseStapling on
<VirtualHost AT_GOOD>
    SSLEngine on
    SSLCertificateFile DIR/good.genfic.example.chain.pem
    SSLCertificateKeyFile DIR/good.genfic.example.key
    SSLVerifyClient require
    SSLVerifyDepth 2
    SSLCACertificateFile DIR/users.pem
    SSLCARevocationFile DIR/all.crl.pem
    SSLCARevocationCheck chain
</VirtualHost>
<VirtualHost AT_REVOKED>
    SSLEngine on
    SSLCertificateFile DIR/revoked.genfic.example.chain.pem
    SSLCertificateKeyFile DIR/revoked.genfic.example.key
</VirtualHost>
"#;

#[test]
fn apache_serves_our_chain_staples_our_answer_and_takes_no_revoked_client() {
    // G7, P1, P15
    let site = Site::with_key("rsa2048");
    site.configure("httpd.conf", CONFIG);
    std::fs::create_dir(site.home.path("server/documents")).unwrap();
    std::fs::write(site.home.path("server/documents/hello"), "hello").unwrap();
    let configuration = site.home.path("server/httpd.conf").display().to_string();
    let _server = site.serve(&["apache2", "-X", "-f", &configuration]);
    site.is_judged();
    let said = site.curl_as("basil");
    assert!(said.status != 0 && said.err.contains("revoked"), "{}", said.all());
    assert_ne!(site.curl(GOOD, &[]).status, 0);
}
