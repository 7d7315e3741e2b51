/* A PKCS#11 module without tokens. It does what STUB_MODULE says when it is asked for its slots: "abort", "hang", or
   "probe", which writes into the file STUB_REPORT what the kernel answers to what a module must not do, and may. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

typedef unsigned long CK_RV;
typedef unsigned long CK_ULONG;
typedef CK_RV (*function)(void);

static void told(FILE *report, const char *what, long answer) {
	fprintf(report, "%s: %s\n", what, answer >= 0 ? "done" : errno == EPERM || errno == EACCES ? "refused" : strerror(errno));
}

static void probe(void) {
	FILE *report = fopen(getenv("STUB_REPORT"), "w");
	if (!report)
		return;
	char octet = 1, *words[] = {"true", NULL}, *none[] = {NULL};
	struct iovec own = {&octet, 1};
	told(report, "execve", execve("/bin/true", words, none));
	told(report, "ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	told(report, "process_vm_readv", process_vm_readv(getpid(), &own, 1, &own, 1, 0));
#ifdef __x86_64__
	told(report, "getpid of x32", syscall(0x40000000 + SYS_getpid));
#else
	fprintf(report, "getpid of x32: refused\n");
#endif
	told(report, "tgkill of another", syscall(SYS_tgkill, getppid(), getppid(), 0));
	told(report, "F_SETOWN", fcntl(0, F_SETOWN, getppid()));
	told(report, "PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	told(report, "TIOCLINUX", ioctl(0, 0x541C, &octet));
	told(report, "socket of packets", socket(AF_PACKET, SOCK_RAW, 0));
	char memory[64];
	snprintf(memory, sizeof memory, "/proc/%d/mem", getppid());
	told(report, "memory of another", open(memory, O_RDONLY));
	told(report, "fork", fork());
	int by_path = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	strncpy(local.sun_path, getenv("STUB_SOCKET"), sizeof local.sun_path - 1);
	told(report, "connect to a socket of Unix", connect(by_path, (struct sockaddr *)&local, sizeof local));
	int by_network = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in remote = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("STUB_PORT")))};
	remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	told(report, "connect by TCP", connect(by_network, (struct sockaddr *)&remote, sizeof remote));
	fclose(report);
}

static CK_RV initialize(void *arguments) {
	(void)arguments;
	return 0;
}

static CK_RV finalize(void *reserved) {
	(void)reserved;
	return 0;
}

static void hang(void) {
	for (;;)
		pause();
}

static CK_RV slots(unsigned char with_token, CK_ULONG *list, CK_ULONG *count) {
	(void)with_token;
	(void)list;
	const char *does = getenv("STUB_MODULE");
	if (does && !strcmp(does, "abort"))
		abort();
	if (does && !strcmp(does, "hang")) {
		/* nor does the process end by itself */
		atexit(hang);
		hang();
	}
	if (does && !strcmp(does, "probe"))
		probe();
	*count = 0;
	return 0;
}

/* CK_FUNCTION_LIST of PKCS#11 2.40: a version, then functions in the order of the standard. */
static struct {
	unsigned char version[2];
	function functions[68];
} list = {{2, 40}, {0}};

CK_RV C_GetFunctionList(void **out) {
	list.functions[0] = (function)initialize;
	list.functions[1] = (function)finalize;
	list.functions[4] = (function)slots;
	*out = &list;
	return 0;
}
