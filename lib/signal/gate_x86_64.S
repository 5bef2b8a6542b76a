// The gate for x86-64 (see gate.hpp).
//
// long sigexc_gate(current_block* rdi, long number rsi, a rdx, b rcx, c r8, d r9, e, f on the stack)
//
// The kernel's convention leaves no scratch register that survives the call, so rbx keeps the
// block. The flag is at its offset 0, the mark at 4, as gate.hpp asserts.
//
// The processor foresees where a `ret` goes by a stack of its own, of the calls that it has seen. A
// kernel that returns in the "safe" way against CVE-2023-20569 (AMD, Zen 1 to 4) leaves that stack
// full of addresses that only the kernel may see, and each first `ret` after a system call takes
// 110 ns to find that out. So there the gate fills it again, by calls that nobody returns from: then
// a return costs 7 ns, the gate's, its caller's, and those of the next functions out. Elsewhere
// (`sigexc_gate_refills` is not set) that would spoil what was foreseen rightly. Jumping instead of
// returning was tried: it helps no one but who jumps. With shadow stacks (CET) such calls must not
// be; no object file of ours that is assembly is marked for them, so that there are none.
	.text
	.globl	sigexc_gate, sigexc_gate_begin, sigexc_gate_end, sigexc_gate_cancel, sigexc_gate_leave
	.hidden	sigexc_gate, sigexc_gate_begin, sigexc_gate_end, sigexc_gate_cancel, sigexc_gate_leave
	.hidden	sigexc_gate_refills
	.type	sigexc_gate, @function
sigexc_gate:
	.cfi_startproc
	endbr64
	push	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	mov	%rdi, %rbx
	mov	%rsi, %rax
	mov	%rdx, %rdi
	mov	%rcx, %rsi
	mov	%r8, %rdx
	mov	%r9, %r10
	mov	16(%rsp), %r8
	mov	24(%rsp), %r9
	movl	$1, 4(%rbx)
sigexc_gate_begin:
	cmpl	$0, (%rbx)
	jne	sigexc_gate_cancel
	syscall
sigexc_gate_end:
	movl	$0, 4(%rbx)
	pop	%rbx
	.cfi_remember_state
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	cmpb	$0, sigexc_gate_refills(%rip)
	je	2f
	.rept	8
	call	1f
	int3
1:	.cfi_adjust_cfa_offset 8
	.endr
	add	$64, %rsp
	.cfi_adjust_cfa_offset -64
2:	ret
sigexc_gate_cancel:
	.cfi_restore_state
	movl	$0, 4(%rbx)
	mov	$-512, %rax
	pop	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	ret
sigexc_gate_leave:
	.cfi_endproc
	.size	sigexc_gate, . - sigexc_gate
	.section	.note.GNU-stack, "", @progbits
