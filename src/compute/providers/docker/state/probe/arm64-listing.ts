/**
 * The probe for arm64, as GNU as lists it: bytes, and the line that they are of. It does what amd64-listing.ts does, step by step.
 */
export const arm64Listing = `
                     | // The stack: count of arguments, then pointers to them: the name of the program, the port, the request
e90b40f9             |   ldr x9, [sp, #16]
13008052             |   mov w19, #0
4b018052             |   mov w11, #10
                     | digit:
                     |   // The port, in decimal
2a154038             |   ldrb w10, [x9], #1
4ac10071             |   subs w10, w10, #48
63000054             |   b.lo connect
732a0b1b             |   madd w19, w19, w11, w10
fcffff17             |   b digit
                     | connect:
                     |   // AF_INET, the port with its high byte first, 127.0.0.1
f40f40f9             |   ldr x20, [sp, #24]
ff0740d1             |   sub sp, sp, #4096
7306c05a             |   rev16 w19, w19
733e1053             |   lsl w19, w19, #16
73021f32             |   orr w19, w19, #2
f30300b9             |   str w19, [sp]
e90f8052             |   mov w9, #127
0920a072             |   movk w9, #256, lsl #16
e90700b9             |   str w9, [sp, #4]
ff0700f9             |   str xzr, [sp, #8]
40008052             |   mov w0, #2
21008052             |   mov w1, #1
02008052             |   mov w2, #0
c8188052             |   mov w8, #198
010000d4             |   svc #0
f303002a             |   mov w19, w0
e1030091             |   mov x1, sp
02028052             |   mov w2, #16
68198052             |   mov w8, #203
010000d4             |   svc #0
a10a0010             |   adr x1, unconnected
02028052             |   mov w2, #(unanswered - unconnected)
80090035             |   cbnz w0, failed
f40800b4             |   cbz x20, connected
02008012             |   mov w2, #-1
                     | length:
                     |   // The request, up to its NUL
42040011             |   add w2, w2, #1
896a6238             |   ldrb w9, [x20, x2]
c9ffff35             |   cbnz w9, length
e003132a             |   mov w0, w19
e10314aa             |   mov x1, x20
08088052             |   mov w8, #64
010000d4             |   svc #0
14008052             |   mov w20, #0
                     | read:
                     |   // The start of the answer: at least HTTP/1.1 200
e003132a             |   mov w0, w19
e143348b             |   add x1, sp, w20, uxtw
02808052             |   mov w2, #1024
4200144b             |   sub w2, w2, w20
e8078052             |   mov w8, #63
010000d4             |   svc #0
c1080010             |   adr x1, unanswered
62028052             |   mov w2, #(accepted - unanswered)
1f000071             |   cmp w0, #0
0d070054             |   b.le failed
9402000b             |   add w20, w20, w0
9f320071             |   cmp w20, #12
83feff54             |   b.lo read
02008012             |   mov w2, #-1
                     | line:
                     |   // It says the first line of the answer
42040011             |   add w2, w2, #1
5f00146b             |   cmp w2, w20
80000054             |   b.eq told
e96b6238             |   ldrb w9, [sp, x2]
3f810071             |   cmp w9, #32
62ffff54             |   b.hs line
                     | told:
49018052             |   mov w9, #10
e96b2238             |   strb w9, [sp, x2]
42040011             |   add w2, w2, #1
e1030091             |   mov x1, sp
20008052             |   mov w0, #1
08088052             |   mov w8, #64
010000d4             |   svc #0
34008052             |   mov w20, #1
e90340b9             |   ldr w9, [sp]
0a898a52             |   mov w10, #0x5448
8a0aaa72             |   movk w10, #0x5054, lsl #16
3f010a6b             |   cmp w9, w10
c1000054             |   b.ne drain
e9274039             |   ldrb w9, [sp, #9]
29c90051             |   sub w9, w9, #50
3f050071             |   cmp w9, #1
48000054             |   b.hi drain
14008052             |   mov w20, #0
                     | drain:
                     |   // What is left of the answer, as far as it comes within 50 ms of the part before (SO_RCVTIMEO): a server that is cut off logs it as a fault
ff0300f9             |   str xzr, [sp]
096a9852             |   mov w9, #50000
e90700f9             |   str x9, [sp, #8]
e003132a             |   mov w0, w19
21008052             |   mov w1, #1
82028052             |   mov w2, #20
e3030091             |   mov x3, sp
04028052             |   mov w4, #16
081a8052             |   mov w8, #208
010000d4             |   svc #0
15028052             |   mov w21, #16
                     | more:
e003132a             |   mov w0, w19
e1030091             |   mov x1, sp
02008252             |   mov w2, #4096
e8078052             |   mov w8, #63
010000d4             |   svc #0
1f000071             |   cmp w0, #0
6d000054             |   b.le done
b5060071             |   subs w21, w21, #1
01ffff54             |   b.ne more
                     | done:
e003142a             |   mov w0, w20
a80b8052             |   mov w8, #93
010000d4             |   svc #0
                     | connected:
61020070             |   adr x1, accepted
c2028052             |   mov w2, #(end - accepted)
14008052             |   mov w20, #0
02000014             |   b say
                     | failed:
34008052             |   mov w20, #1
                     | say:
20008052             |   mov w0, #1
08088052             |   mov w8, #64
010000d4             |   svc #0
e003142a             |   mov w0, w20
a80b8052             |   mov w8, #93
010000d4             |   svc #0
                     | unconnected:
63616e206e6f7420636f6e6e6563740a |   .ascii "can not connect\\n"
                     | unanswered:
7468657265206973206e6f20616e737765720a |   .ascii "there is no answer\\n"
                     | accepted:
6120636f6e6e656374696f6e2069732074616b656e0a |   .ascii "a connection is taken\\n"
                     | end:
`;
