// A certificate for localhost and 127.0.0.1 that signs itself, for tests only; it lasts a hundred years. Made by
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost \
//     -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1'
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUA115VytY0OiDp9uvfBEgbFXQgRUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA1NTgyOVoYDzIxMjYxMDI4
MDU1ODI5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS/AOhD3YDfjcj4uKcHTfcosO16iiiGjBQfn1IiZUuAIM4nsfQnyEZn
99iEb23VvLr6GDJTjQ0CN9jbKU4EI3UUo28wbTAdBgNVHQ4EFgQUmoJKGH58E229
nWFaWiAkdp+qTKEwHwYDVR0jBBgwFoAUmoJKGH58E229nWFaWiAkdp+qTKEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgY4bZcAJ55kFvWmzJdMoyixFhLsV8ee+ZkQw6W5qjiIUCIEFz
ypk5UFSbQviVuxqTzX1TvgEkKmwaGGP09OsAKjqK
-----END CERTIFICATE-----`;

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjuK7KUCxoaj5ED7G
HLC1K+Fs3gPPp/xMaJvl0id0TeKhRANCAAS/AOhD3YDfjcj4uKcHTfcosO16iiiG
jBQfn1IiZUuAIM4nsfQnyEZn99iEb23VvLr6GDJTjQ0CN9jbKU4EI3UU
-----END PRIVATE KEY-----`;
