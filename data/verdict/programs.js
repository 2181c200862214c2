// Programs that leak or do not, and record their own heap: see README.md. Old syntax, so that Node 4 runs it too.
var fs=require('fs');var out=process.argv[2],secs=+process.argv[3],shape=process.argv[4];var A=process.argv.slice(5).map(Number);
var fd=fs.openSync(out,'w');fs.writeSync(fd,'t_s,heap_used,heap_total,rss,ops\n');
var t0=Date.now(),ops=0;function el(){return (Date.now()-t0)/1000}
function sample(){var m=process.memoryUsage();fs.writeSync(fd,el().toFixed(3)+','+m.heapUsed+','+m.heapTotal+','+m.rss+','+ops+'\n');if(el()>=secs)process.exit(0)}
sample();setInterval(sample,1000);
// an object of about n bytes made of 100-byte pieces
function obj(n){var a=[];for(var i=0;i<n/100;i++)a.push({a:i+0.5,b:'x'+(i+ops),c:[i,ops]});return a}   // ~ 136 B a piece
function garbage(bytes){for(var g=0;g<bytes/1000;g++)obj(1000)}
var TICK=100,per=TICK/1000;
var keep=[],q=[];
var S={
 steady:function(){garbage(A[0]*per)},                                  // garbage B/s
 leak:function(){garbage(A[1]*per);if(el()>=(A[2]||0))keep.push(obj(A[0]*per))},   // B/s kept, garbage, from s
 cache:function(){garbage(A[1]*per);var k=obj(A[0]*per);keep.push(k);if(keep.length>A[2]/per)keep.shift()},  // B/s, garbage, fill s
 cacheexp:function(){garbage(A[1]*per);var i=Math.floor(Math.random()*A[2]/per);keep[i]=obj(A[0]*per)},     // random replacement: exponential fill tau=A2
 saw:function(){garbage(A[1]*per);keep.push(obj(A[0]*per));if(el()-(S.l||0)>=A[2]){S.l=el();keep=[];S.k=(S.k||0)+1;if(global.gc&&S.k%3==0)floor()}},   // accumulate, drop all each A2 s
 bursts:function(){garbage(A[1]*per);if(el()-(S.l||0)>=A[2]){S.l=el();keep=[];for(var i=0;i<A[0]/100000;i++)keep.push(obj(100000))}else if(el()-(S.l||0)>5)keep=[]},
 steps:function(){garbage(A[1]*per);if(!S.d&&el()>=A[2]){S.d=1;for(var i=0;i<A[0]/100000;i++)keep.push(obj(100000))}},
 queue:function(){garbage(A[1]*per);q.push(obj(A[0]*per));if(q.length>A[2]/per)q.shift()},  // lives A2 s, in flight
 live:function(){if(!S.d){S.d=1;for(var i=0;i<A[3]/100000;i++)keep.push(obj(100000))}garbage(A[1]*per);q.push(obj(A[0]*per));if(q.length>A[2]/per)q.shift()},
 leakp:function(){garbage(A[1]*per);var a=[];for(var i=0;i<(A[0]*per-40)/8;i++)a.push(i);keep.push(a.slice())},
 idle:function(){},
 loadidle:function(){if(el()<A[2]){garbage(A[1]*per);keep.push(obj(A[0]*per))}}
};
function floor(){var f=fs.openSync(out.replace(".csv",".floors.csv"),"a");global.gc();fs.writeSync(f,el().toFixed(3)+","+process.memoryUsage().heapUsed+",forced\n");fs.closeSync(f)}
if(global.gc&&shape!='saw')setInterval(floor,(process.env.CHECKPOINT_S||20)*1000);
setInterval(function(){ops++;S[shape]()},TICK);
