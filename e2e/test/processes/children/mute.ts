// Never announces itself.
console.error('I have nothing to say');
setInterval(() => {}, 1000);
