/**
 * The probe for amd64, as GNU as lists it: bytes, and the line that they are of. Calls: https://man7.org/linux/man-pages/man2/syscalls.2.html
 */
export const amd64Listing = `
                     | .intel_syntax noprefix
                     | # The stack: count of arguments, then pointers to them: the name of the program, the port, the request
4889e5               |   mov rbp, rsp
488b7510             |   mov rsi, [rbp+16]
31db                 |   xor ebx, ebx
                     | digit:
                     |   # The port, in decimal
0fb606               |   movzx eax, byte ptr [rsi]
48ffc6               |   inc rsi
83e830               |   sub eax, 48
7207                 |   jb connect
6bdb0a               |   imul ebx, ebx, 10
01c3                 |   add ebx, eax
ebee                 |   jmp digit
                     | connect:
                     |   # AF_INET, the port with its high byte first, 127.0.0.1
4881ec00100000       |   sub rsp, 4096
86fb                 |   xchg bl, bh
c1e310               |   shl ebx, 16
83cb02               |   or ebx, 2
891c24               |   mov [rsp], ebx
c74424047f000001     |   mov dword ptr [rsp+4], 0x0100007f
48c744240800000000   |   mov qword ptr [rsp+8], 0
bf02000000           |   mov edi, 2
be01000000           |   mov esi, 1
31d2                 |   xor edx, edx
b829000000           |   mov eax, 41
0f05                 |   syscall
89c3                 |   mov ebx, eax
89df                 |   mov edi, ebx
4889e6               |   mov rsi, rsp
ba10000000           |   mov edx, 16
b82a000000           |   mov eax, 42
0f05                 |   syscall
488d351b010000       |   lea rsi, [rip+unconnected]
ba10000000           |   mov edx, offset unanswered - unconnected
85c0                 |   test eax, eax
0f85f4000000         |   jnz failed
488b7518             |   mov rsi, [rbp+24]
4885f6               |   test rsi, rsi
0f84d7000000         |   jz connected
baffffffff           |   mov edx, -1
                     | length:
                     |   # The request, up to its NUL
ffc2                 |   inc edx
803c1600             |   cmp byte ptr [rsi+rdx], 0
75f8                 |   jne length
89df                 |   mov edi, ebx
b801000000           |   mov eax, 1
0f05                 |   syscall
31ed                 |   xor ebp, ebp
                     | read:
                     |   # The start of the answer: at least HTTP/1.1 200
89df                 |   mov edi, ebx
488d342c             |   lea rsi, [rsp+rbp]
ba00040000           |   mov edx, 1024
29ea                 |   sub edx, ebp
31c0                 |   xor eax, eax
0f05                 |   syscall
488d35e1000000       |   lea rsi, [rip+unanswered]
ba13000000           |   mov edx, offset accepted - unanswered
85c0                 |   test eax, eax
0f8eaa000000         |   jle failed
01c5                 |   add ebp, eax
83fd0c               |   cmp ebp, 12
72d4                 |   jb read
baffffffff           |   mov edx, -1
                     | line:
                     |   # It says the first line of the answer
ffc2                 |   inc edx
39ea                 |   cmp edx, ebp
7406                 |   je told
803c1420             |   cmp byte ptr [rsp+rdx], 32
73f4                 |   jae line
                     | told:
c604140a             |   mov byte ptr [rsp+rdx], 10
ffc2                 |   inc edx
4889e6               |   mov rsi, rsp
bf01000000           |   mov edi, 1
b801000000           |   mov eax, 1
0f05                 |   syscall
bd01000000           |   mov ebp, 1
813c2448545450       |   cmp dword ptr [rsp], 0x50545448
750c                 |   jne drain
8a442409             |   mov al, [rsp+9]
2c32                 |   sub al, 50
3c01                 |   cmp al, 1
7702                 |   ja drain
31ed                 |   xor ebp, ebp
                     | drain:
                     |   # What is left of the answer, as far as it comes within 50 ms of the part before (SO_RCVTIMEO): a server that is cut off logs it as a fault
48c7042400000000     |   mov qword ptr [rsp], 0
48c744240850c30000   |   mov qword ptr [rsp+8], 50000
89df                 |   mov edi, ebx
be01000000           |   mov esi, 1
ba14000000           |   mov edx, 20
4989e2               |   mov r10, rsp
41b810000000         |   mov r8d, 16
b836000000           |   mov eax, 54
0f05                 |   syscall
41bc10000000         |   mov r12d, 16
                     | more:
89df                 |   mov edi, ebx
4889e6               |   mov rsi, rsp
ba00100000           |   mov edx, 4096
31c0                 |   xor eax, eax
0f05                 |   syscall
85c0                 |   test eax, eax
7e05                 |   jle done
41ffcc               |   dec r12d
75e9                 |   jnz more
                     | done:
89ef                 |   mov edi, ebp
b83c000000           |   mov eax, 60
0f05                 |   syscall
                     | connected:
488d3546000000       |   lea rsi, [rip+accepted]
ba16000000           |   mov edx, offset end - accepted
31ed                 |   xor ebp, ebp
eb05                 |   jmp say
                     | failed:
bd01000000           |   mov ebp, 1
                     | say:
bf01000000           |   mov edi, 1
b801000000           |   mov eax, 1
0f05                 |   syscall
89ef                 |   mov edi, ebp
b83c000000           |   mov eax, 60
0f05                 |   syscall
                     | unconnected:
63616e206e6f7420636f6e6e6563740a |   .ascii "can not connect\\n"
                     | unanswered:
7468657265206973206e6f20616e737765720a |   .ascii "there is no answer\\n"
                     | accepted:
6120636f6e6e656374696f6e2069732074616b656e0a |   .ascii "a connection is taken\\n"
                     | end:
`;
