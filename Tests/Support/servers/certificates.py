"""A throw-away authority: a server's certificate for "localhost", one for no host, a client's, a stranger's CA."""
import os
import subprocess

from servers.process import StartFailure

DAYS = "2"


def create(folder):
    os.mkdir(folder)

    def openssl(*words):
        done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise StartFailure(f"openssl {words[0]} failed: {done.stderr.strip()}")

    def authority(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", DAYS,
                "-subj", f"/CN=taskhost test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def signed(name, subject, extension):
        with open(os.path.join(folder, f"{name}.ext"), "w") as file:
            file.write(extension + "\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={subject}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", DAYS, "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    try:
        authority("ca")
        authority("other-ca")
        signed("server", "localhost", "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth")
        signed("nameless", "localhost", "extendedKeyUsage=serverAuth")
        signed("client", "guest", "extendedKeyUsage=clientAuth")
    except FileNotFoundError:
        raise StartFailure("openssl is not installed: apt-get install openssl") from None
