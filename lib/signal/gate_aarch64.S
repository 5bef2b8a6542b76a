// The gate for aarch64 (see gate.hpp).
//
// long sigexc_gate(current_block* x0, long number x1, a x2, b x3, c x4, d x5, e x6, f x7)
//
// The kernel changes x0 alone, so x9 keeps the block and x10 the mark's address.
	.text
	.globl	sigexc_gate, sigexc_gate_begin, sigexc_gate_end, sigexc_gate_cancel, sigexc_gate_leave
	.hidden	sigexc_gate, sigexc_gate_begin, sigexc_gate_end, sigexc_gate_cancel, sigexc_gate_leave
	.type	sigexc_gate, %function
sigexc_gate:
	.cfi_startproc
	hint	#34  // bti c, which older assemblers do not know
	mov	x9, x0
	add	x10, x0, #4
	mov	x8, x1
	mov	x0, x2
	mov	x1, x3
	mov	x2, x4
	mov	x3, x5
	mov	x4, x6
	mov	x5, x7
	mov	w11, #1
	str	w11, [x10]
sigexc_gate_begin:
	ldr	w11, [x9]
	cbnz	w11, sigexc_gate_cancel
	svc	#0
sigexc_gate_end:
	str	wzr, [x10]
	ret
sigexc_gate_cancel:
	str	wzr, [x10]
	mov	x0, #-512
	ret
sigexc_gate_leave:
	.cfi_endproc
	.size	sigexc_gate, . - sigexc_gate
	.section	.note.GNU-stack, "", %progbits
