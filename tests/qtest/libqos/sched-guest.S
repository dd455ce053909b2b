/*
 * The guest of pri-sched-test: two CPUs, no operating system
 *
 * sched-guest.h has it as bytes; scripts/gen-sched-guest.sh makes that.  It lies
 * at 0x8000, where the second CPU begins, and the firmware jumps to _start; all
 * segments begin at 0.  The words at 0xa000 are its side of the test:
 *
 *   MODE      which of the programs below, written by the test at the marker
 *   COUNTER   what the programs work on
 *   FIRST     number + 1 of the CPU that was through first
 *   THROUGH   CPUs that are through
 *   FLAG      something to wait for
 *   RANDOM    what RDRAND gave
 *   DONE      per CPU, rounds with the lock
 *   SEEN      per CPU, DONE of the other one when this was through
 *   LOCK      what the lock functions are called with; nothing is there
 *   TABLES    of 64-bit mode, written by the test: the first 2 MB as they are
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

        .set    MODE, 0xa000
        .set    COUNTER, 0xa004
        .set    FIRST, 0xa008
        .set    THROUGH, 0xa00c
        .set    FLAG, 0xa010
        .set    RANDOM, 0xa014
        .set    DONE, 0xa020
        .set    SEEN, 0xa028
        .set    LOCK, 0xa030
        .set    TABLES, 0xb000
        .set    UP, 0xa018              /* the other CPU is up */
        .set    GO, 0xa01c              /* it may begin */

        .set    STACK0, 0x40000
        .set    STACK1, 0x50000
        .set    APIC, 0xfee00000
        .set    ROUNDS, 100
        .set    LEAF, 0x5c4ed000

        .text
        /* The other CPU begins here, in real mode */
        .code16
other:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $8, $cpu1
        .code32
cpu1:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $STACK1, %esp
        movl    $0x1ff, APIC + 0xf0
        movl    $1, UP
1:      pause
        cmpl    $1, GO
        jne     1b
        movl    $1, %ebx
        call    program
1:      hlt
        jmp     1b

        .balign 0x80
        .code16
        .globl  _start
_start:
        cli
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $8, $cpu0

        .code32
cpu0:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $STACK0, %esp
        /* spurious vector register: on */
        movl    $0x1ff, APIC + 0xf0
        /* INIT and SIPI with vector 8 to all others */
        movl    $0x000c4500, APIC + 0x300
        movl    $0x000c4608, APIC + 0x300
1:      pause
        cmpl    $1, UP
        jne     1b
        movl    $1, %ecx
        call    marker
        movl    $1, GO
        xorl    %ebx, %ebx
        call    program
        /* both are through */
1:      pause
        cmpl    $2, THROUGH
        jne     1b
        movl    $2, %ecx
        call    marker
1:      hlt
        jmp     1b

marker:
        movl    $LEAF, %eax
        xorl    %edx, %edx
        pushl   %ebx
        cpuid
        popl    %ebx
        ret

through:
        movl    $0, %eax
        leal    1(%ebx), %edx
        lock cmpxchgl %edx, FIRST
        lock incl THROUGH
        ret

        /* %ebx: number of this CPU */
program:
        movl    MODE, %eax
        cmpl    $1, %eax
        je      spin_pause
        cmpl    $2, %eax
        je      spin
        cmpl    $3, %eax
        je      sleep
        cmpb    $4, %al
        je      random
        cmpl    $5, %eax
        je      locking
        /* 0: add to the counter, and lose what the other CPU adds meanwhile */
        movl    $ROUNDS, %ecx
        jmp     focus

        .balign 0x100
focus:
        movl    COUNTER, %eax
        incl    %eax
        movl    %eax, COUNTER
        loop    focus
focus_end:
        jmp     through

        /* 1: CPU 0 waits for CPU 1 with PAUSE, 2: without */
spin_pause:
        testl   %ebx, %ebx
        jnz     raise
1:      pause
        cmpl    $1, FLAG
        jne     1b
        jmp     through
spin:
        testl   %ebx, %ebx
        jnz     raise
1:      cmpl    $1, FLAG
        jne     1b
        jmp     through
raise:
        movl    $1, FLAG
        jmp     through

        /* 3: CPU 0 sleeps until CPU 1 sends it an NMI */
sleep:
        testl   %ebx, %ebx
        jnz     wake
        lidtl   idt_pointer
        hlt
        jmp     through
wake:
        movl    $0x000c4400, APIC + 0x300
        jmp     through
nmi:
        incl    COUNTER
        iret

        /* 4: a random number, 0x104, 0x204 and 0x304: below */
random:
        cmpb    $1, %ah
        je      leave
        cmpb    $2, %ah
        je      wait
        cmpb    $3, %ah
        je      talk
1:      rdrand  %eax
        jnc     1b
        xorl    %eax, RANDOM
        roll    $7, RANDOM
        jmp     through

        /* 5: lock functions, which have their argument in 64-bit mode */
locking:
        movl    %cr4, %eax
        orl     $0x20, %eax             /* PAE */
        movl    %eax, %cr4
        movl    $TABLES, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* EFER.LME */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000000, %eax       /* PG */
        movl    %eax, %cr0
        ljmpl   $24, $long
        .code64
long:
        movl    %ebx, %ebx
        call    take                    /* not from the focus */
        movl    $ROUNDS, %ebp
locked:
        movl    $LOCK, %edi
        call    take
        incl    DONE(,%rbx,4)
        movl    $LOCK, %edi
        call    give
        decl    %ebp
        jnz     locked
locked_end:
        movl    %ebx, %eax
        xorl    $1, %eax
        movl    DONE(,%rax,4), %eax
        movl    %eax, SEEN(,%rbx,4)
        movl    $short, %eax
        pushq   $8
        pushq   %rax
        lretq
take:   ret
give:   ret
        .code32
short:
        jmp     through

        /* 0x104: CPU 0 resets the machine (ICH9 RST_CNT), CPU 1 counts for ever */
leave:
        testl   %ebx, %ebx
        jnz     count
        movl    $0xcf9, %edx
        movb    $6, %al
        outb    %al, %dx
1:      jmp     1b
count:
        incl    COUNTER
        jmp     count

        /* 0x204: both wait for ever */
wait:   pause
        jmp     wait

        /* 0x304: CPU 0 waits and does much before it looks, CPU 1 is slow */
talk:
        testl   %ebx, %ebx
        jnz     slow
1:      movl    $500, %ecx
        loop    .
        pause
        cmpl    $1, FLAG
        jne     1b
        jmp     through
slow:   movl    $10000, %ecx
        loop    .
        jmp     raise

        .balign 8
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff
        .quad   0x00cf93000000ffff
        .quad   0x00af9b000000ffff
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt
        .balign 8
idt:
        .quad   0, 0
        .word   nmi, 8, 0x8e00, 0
idt_pointer:
        .word   . - idt - 1
        .long   idt
