/* A cryptographic device for tests, behind the calls of GM/T 0018 that the service uses.
 *
 * It is a stand-in and no device: what it is made of is a text file, named by SDF_TEST_DEVICE and
 * read again at every call, so that a test can change a key, break the device or take it away:
 *
 *   key INDEX SCALAR PASSPHRASE   an SM2 key, 64 hex digits; a device without the line has no key
 *   sessions N                    how many sessions may be open (default 64)
 *   epoch N                       sessions opened under another number are dead: a restart
 *   fault flip|long|zero|fail     what goes wrong with signatures
 *   plain-codes                   error codes without their base, as some libraries have them
 *
 * No file: nothing answers. Memory is never given back, so a call with a dead handle is counted
 * (sdf_test_misuse) and does not crash. Signatures are made by the libcrypto it is linked with,
 * declared here so that no headers are needed.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SDR_OK 0
#define SDR_BASE 0x01000000
#define COMMFAIL 0x03
#define OPENSESSION 0x06
#define PARDENY 0x07
#define KEYNOTEXIST 0x08
#define SKOPERR 0x0C
#define PRKRERR 0x18
#define INARGERR 0x1D
#define MOST_KEYS 16
#define TRIES 5

typedef struct { unsigned int bits; unsigned char x[64], y[64]; } ECCrefPublicKey;
typedef struct { unsigned char r[64], s[64]; } ECCSignature;

extern void *d2i_AutoPrivateKey(void **, const unsigned char **, long);
extern int i2d_PUBKEY(const void *, unsigned char **);
extern void EVP_PKEY_free(void *);
extern void *EVP_PKEY_CTX_new_from_pkey(void *, void *, const char *);
extern void EVP_PKEY_CTX_free(void *);
extern int EVP_PKEY_sign_init(void *);
extern int EVP_PKEY_sign(void *, unsigned char *, size_t *, const unsigned char *, size_t);

typedef struct { unsigned int index; unsigned char scalar[32]; char passphrase[64]; } Key;
typedef struct {
    int is_there, keys, sessions, epoch, plain_codes;
    char fault[16];
    Key key[MOST_KEYS];
} Device;
typedef struct { int is_open; } DeviceHandle;
typedef struct { int is_open, epoch; DeviceHandle *device; unsigned int rights; } Session;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int open_sessions, misuse, wrong[MOST_KEYS + 1], right_calls;

int sdf_test_misuse(void) { return misuse; }
int sdf_test_sessions(void) { return open_sessions; }
int sdf_test_right_calls(void) { return right_calls; }

static void read_key(Device *device, const char *line) {
    char hex[80];
    Key *key = &device->key[device->keys];
    if (device->keys >= MOST_KEYS
        || sscanf(line, "key %u %64s %63s", &key->index, hex, key->passphrase) != 3) return;
    for (int i = 0; i < 32; i++) sscanf(hex + 2 * i, "%2hhx", &key->scalar[i]);
    device->keys++;
}

static Device read_device(void) {
    Device device = {.sessions = 64};
    char line[256];
    const char *path = getenv("SDF_TEST_DEVICE");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return device;
    device.is_there = 1;
    while (fgets(line, sizeof line, file)) {
        read_key(&device, line);
        sscanf(line, "sessions %d", &device.sessions);
        sscanf(line, "epoch %d", &device.epoch);
        sscanf(line, "fault %15s", device.fault);
        if (!strncmp(line, "plain-codes", 11)) device.plain_codes = 1;
    }
    fclose(file);
    return device;
}

static int code(const Device *device, int number) {
    return device->plain_codes ? number : SDR_BASE + number;
}

static const Key *find(const Device *device, unsigned int index) {
    for (int i = 0; i < device->keys; i++)
        if (device->key[i].index == index) return &device->key[i];
    return NULL;
}

/* Read the device and look whether it knows the session; the answer is 0 or an error. */
static int enter(Session *session, Device *device) {
    *device = read_device();
    if (!session || !session->is_open || !session->device->is_open) {
        misuse++;
        return SDR_BASE + INARGERR;
    }
    if (!device->is_there || session->epoch != device->epoch) return code(device, COMMFAIL);
    return SDR_OK;
}

int SDF_OpenDevice(void **handle) {
    pthread_mutex_lock(&lock);
    Device device = read_device();
    int answer = device.is_there ? SDR_OK : SDR_BASE + 0x05;
    if (!answer) {
        DeviceHandle *made = calloc(1, sizeof *made);
        made->is_open = 1;
        *handle = made;
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

int SDF_CloseDevice(void *handle) {
    pthread_mutex_lock(&lock);
    DeviceHandle *device = handle;
    if (!device->is_open) misuse++;
    device->is_open = 0;
    pthread_mutex_unlock(&lock);
    return SDR_OK;
}

int SDF_OpenSession(void *handle, void **out) {
    pthread_mutex_lock(&lock);
    DeviceHandle *opened = handle;
    Device device = read_device();
    int answer = SDR_OK;
    if (!opened->is_open) misuse++;
    if (!device.is_there) answer = code(&device, COMMFAIL);
    else if (open_sessions >= device.sessions) answer = code(&device, OPENSESSION);
    else {
        Session *made = calloc(1, sizeof *made);
        made->is_open = 1;
        made->epoch = device.epoch;
        made->device = opened;
        open_sessions++;
        *out = made;
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

int SDF_CloseSession(void *handle) {
    pthread_mutex_lock(&lock);
    Session *session = handle;
    if (!session->is_open || !session->device->is_open) misuse++;
    else open_sessions--;
    session->is_open = 0;
    pthread_mutex_unlock(&lock);
    return SDR_OK;
}

int SDF_GetPrivateKeyAccessRight(void *handle, unsigned int index, const char *given,
                                 unsigned int length) {
    pthread_mutex_lock(&lock);
    Device device;
    Session *session = handle;
    int answer = enter(session, &device);
    const Key *key = answer ? NULL : find(&device, index);
    right_calls++;
    if (!answer && !key) answer = code(&device, KEYNOTEXIST);
    if (!answer && wrong[index % MOST_KEYS] >= TRIES) answer = code(&device, PARDENY);
    if (!answer && (length != strlen(key->passphrase) || memcmp(given, key->passphrase, length))) {
        wrong[index % MOST_KEYS]++;
        answer = code(&device, PRKRERR);
    }
    if (!answer) {
        wrong[index % MOST_KEYS] = 0;
        session->rights |= 1u << (index % MOST_KEYS);
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

int SDF_ReleasePrivateKeyAccessRight(void *handle, unsigned int index) {
    pthread_mutex_lock(&lock);
    Session *session = handle;
    session->rights &= ~(1u << (index % MOST_KEYS));
    pthread_mutex_unlock(&lock);
    return SDR_OK;
}

/* PrivateKeyInfo of the SM2 curve around an ECPrivateKey without its public key. */
static void *load(const Key *key) {
    unsigned char der[67] = {
        0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
        0x01, 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x04, 0x27, 0x30, 0x25,
        0x02, 0x01, 0x01, 0x04, 0x20};
    const unsigned char *at = der;
    memcpy(der + 35, key->scalar, 32);
    return d2i_AutoPrivateKey(NULL, &at, sizeof der);
}

int SDF_ExportSignPublicKey_ECC(void *handle, unsigned int index, ECCrefPublicKey *out) {
    pthread_mutex_lock(&lock);
    Device device;
    int answer = enter(handle, &device);
    const Key *key = answer ? NULL : find(&device, index);
    if (!answer && !key) answer = code(&device, KEYNOTEXIST);
    if (!answer) {
        unsigned char spki[128], *at = spki;
        void *loaded = load(key);
        i2d_PUBKEY(loaded, &at);
        EVP_PKEY_free(loaded);
        memset(out, 0, sizeof *out);
        out->bits = 256;
        memcpy(out->x + 32, at - 64, 32);
        memcpy(out->y + 32, at - 32, 32);
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

/* Put an INTEGER of DER at the right end of its field; return what follows it. */
static const unsigned char *put(unsigned char field[64], const unsigned char *der) {
    int size = der[1];
    const unsigned char *content = der + 2;
    memset(field, 0, 64);
    for (; size > 32; size--) content++;
    memcpy(field + 64 - size, content, size);
    return content + size;
}

static int sign(const Key *key, const unsigned char *e, ECCSignature *out) {
    unsigned char der[80];
    size_t size = sizeof der;
    void *loaded = load(key), *context = EVP_PKEY_CTX_new_from_pkey(NULL, loaded, NULL);
    int is_made = EVP_PKEY_sign_init(context) == 1
                  && EVP_PKEY_sign(context, der, &size, e, 32) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(loaded);
    if (is_made) put(out->s, put(out->r, der + 2));
    return is_made;
}

int SDF_InternalSign_ECC(void *handle, unsigned int index, const unsigned char *data,
                         unsigned int length, ECCSignature *out) {
    pthread_mutex_lock(&lock);
    Device device;
    Session *session = handle;
    int answer = enter(session, &device);
    const Key *key = answer ? NULL : find(&device, index);
    if (!answer && !key) answer = code(&device, KEYNOTEXIST);
    if (!answer && length != 32) answer = code(&device, INARGERR);
    if (!answer && !(session->rights >> (index % MOST_KEYS) & 1)) answer = code(&device, PARDENY);
    pthread_mutex_unlock(&lock);
    /* Sessions sign side by side. */
    if (!answer && !sign(key, data, out)) answer = code(&device, SKOPERR);
    if (answer) return answer;
    if (!strcmp(device.fault, "flip")) out->s[63] ^= 1;
    if (!strcmp(device.fault, "long")) out->r[0] = 1;
    if (!strcmp(device.fault, "zero")) memset(out, 0, sizeof *out);
    if (!strcmp(device.fault, "fail")) return code(&device, SKOPERR);
    return SDR_OK;
}
